import RealtimeCore

/// What really happened, kept beside the cluster: what was sent, where it was stored, who was told what.
final class Ledger {
  struct Place: Hashable {
    let room: Int
    let epoch: String
    let offset: Int
  }

  struct Message {
    let room: Int
    let client: Int
    /// Which of the client's connections sent it first.
    let connection: Int
    /// The client gave it an id, so it may be sent again.
    let hasID: Bool
    var isRetried = false
    var isAcked = false
    /// Where it was stored, with the time (ms); more than once only over generations.
    var places: [(place: Place, time: Int64)] = []
  }

  private struct Sender: Hashable {
    let client: Int
    let connection: Int
    let room: Int
    let epoch: String
  }

  let world: World
  private(set) var violation: Violation?
  private(set) var counts = Counts()
  private(set) var messages: [Message] = []
  private var truth: [Place: Int] = [:]
  private var tops: [String: Int] = [:]
  private var fingerprints: [Place: Int] = [:]
  private var lastStored: [Sender: Int] = [:]
  /// Digests may have been lost within a generation since this time: a message may be stored twice.
  var digestsLostAt: Int64 = -1
  /// Rooms whose presence version may have gone back.
  var unversioned: Set<String> = []
  /// Epochs of rooms whose messages were evicted: what is missing of them is missing.
  var evicted: Set<String> = []
  /// Whether a node of this incarnation runs, and has run for so long that nothing excuses the loss of its lease.
  var isLive: (_ incarnation: String) -> Bool = { _ in false }
  /// Whether a member of the room has been there for long on a node that is well.
  var isSteady: (_ user: Int, _ room: Int) -> Bool = { _, _ in false }
  let lease: Int64
  /// Messages that Redis keeps of a room.
  let history: Int
  let tokens = TokenLedger()

  init(world: World, lease: Int64, history: Int) {
    (self.world, self.lease, self.history) = (world, lease, history)
  }

  /// Notes the first violation; later ones are its consequences.
  func fail(_ invariant: Invariant, _ words: @autoclosure () -> String) {
    guard violation == nil else { return }
    violation = Violation(invariant: invariant, words: words())
    world.trace.note("check", "VIOLATION \(violation!)")
  }

  func count(_ what: WritableKeyPath<Counts, Int>) { counts[keyPath: what] += 1 }

  // MARK: Messages

  func newMessage(room: Int, client: Int, connection: Int, hasID: Bool) -> Int {
    counts.sent += 1
    messages.append(Message(room: room, client: client, connection: connection, hasID: hasID))
    return messages.count - 1
  }

  func retried(_ content: Int) { messages[content].isRetried = true }

  func content(at place: Place) -> Int? { truth[place] }

  func top(room: Int, epoch: String) -> Int? { tops["\(room) \(epoch)"] }

  /// A client got a message at a place.
  func delivered(_ heard: Heard, at place: Place, to name: String) {
    counts.delivered += 1
    guard truth[place] == heard.content else {
      return fail(.samePlace, "\(name) got message \(heard.content) at \(place), where Redis has \(truth[place] ?? -1)")
    }
    if let known = fingerprints.updateValue(heard.fingerprint, forKey: place), known != heard.fingerprint {
      fail(.samePlace, "\(name) got other bytes at \(place) than somebody else")
    }
  }

  /// A client was told that its message is stored.
  func acknowledged(_ content: Int, at place: Place, isDuplicate: Bool, to name: String) {
    counts.acked += messages[content].isAcked ? 0 : 1
    messages[content].isAcked = true
    if isDuplicate { counts.duplicates += 1 }
    if !messages[content].places.contains(where: { $0.place == place }) {
      fail(.trueAck, "\(name) was told that message \(content) is at \(place), but it never was there")
    }
  }

  /// A client that stood at `known` was told that it missed something when the room was at `place`. Redis had all of
  /// it, all the time.
  func isNeedless(since known: Position, at place: Position, in room: Int) -> Bool {
    // Who named a place that was not there yet is right to be sent back.
    guard known.epoch == place.epoch, known.offset <= place.offset, !evicted.contains(known.epoch) else { return false }
    return (top(room: room, epoch: known.epoch) ?? 0) - known.offset <= history
  }

  // MARK: Redis

  func generationBegan(_ generation: String) {
    counts.generations += 1
    world.trace.note("redis", "generation \(generation.dropFirst(25).prefix(12))")
  }

  func stored(_ text: [UInt8], room name: String, epoch: String, offset: Int) {
    counts.stored += 1
    let heard = Heard(text + [UInt8(ascii: "}")])
    let place = Place(room: Int(name.dropFirst())!, epoch: epoch, offset: offset)
    let content = heard.content
    if let other = truth.updateValue(content, forKey: place) {
      fail(.samePlace, "\(place) holds message \(content), and held \(other) before")
    }
    tops["\(place.room) \(epoch)"] = offset
    let now = world.now
    for before in messages[content].places where before.place.epoch.prefix(12) == epoch.prefix(12) {
      if now - before.time < 119_000, before.time > digestsLostAt {
        fail(.once, "message \(content) was stored at \(before.place) and again at \(place)")
      }
    }
    messages[content].places.append((place, now))
    guard !messages[content].isRetried else { return }
    let message = messages[content]
    let sender = Sender(client: message.client, connection: message.connection, room: place.room, epoch: epoch)
    if let last = lastStored.updateValue(content, forKey: sender), last > content {
      fail(.senderOrder, "client \(message.client) sent \(content) before \(last), but it is stored after it")
    }
  }

  // MARK: Presence

  func announced(_ kind: String, room: String, user: String) {
    guard let room = Int(room.dropFirst()), let user = Int(user.dropFirst()) else { return }
    if kind == "user_left", isSteady(user, room) {
      fail(.steadyUsers, "user_left of u\(user) in r\(room), who has been there all the time")
    }
  }
}
