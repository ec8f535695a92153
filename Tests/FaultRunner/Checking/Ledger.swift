/// Writes down what every client of a run heard and says which promises of SPEC sections 4 and 5 were broken.
///
/// Pure: whoever feeds it knows the time. A promise that can be judged at once is counted at once; what needs the whole
/// picture (was the missing message stored? was it a retry?) is judged by ``finish(members:finals:)``.
public struct Ledger {
  struct Key: Hashable {
    var client: Int
    var room: String
  }

  struct Place: Hashable {
    var room: String
    var position: Position
  }

  public internal(set) var counts = Counts()
  /// What is wrong, in words, with the log of a client that saw it; the first ones only.
  public private(set) var evidence: [String] = []
  var views: [Key: RoomView] = [:]
  var places: [Place: (id: String, content: String)] = [:]
  var acked: Set<String> = []
  /// Tops of the runs, by room and epoch (an offset is left at 0).
  var tops: [Place: Int] = [:]
  /// Messages whose outcome was unknown to their sender: they may be stored after a later one.
  private var unordered: Set<String> = []
  var presence = PresenceWatch()

  public init() {}

  /// Where the client stands in the room.
  public func position(of client: Int, in room: String) -> Position? {
    views[Key(client: client, room: room)]?.position
  }

  public func has(_ content: String, client: Int, room: String) -> Bool {
    views[Key(client: client, room: room)]?.has(content) ?? false
  }

  public func isAcked(_ content: String) -> Bool { acked.contains(content) }

  // MARK: What happens

  /// The sender does not know what became of the message and will say it again.
  public mutating func isUnsure(_ content: String) { unordered.insert(content) }

  /// `room_info` came. `since` is the position that was sent with `join_room`.
  public mutating func joined(
    _ client: Int, _ room: String, at place: Position, since: Position?, recovered: Bool?, reason: String?
  ) {
    let key = Key(client: client, room: room)
    let words = "joined since \(since.map(\.description) ?? "-") recovered \(recovered.map { "\($0)" } ?? "-")"
    guard let since else {
      views[key, default: RoomView()].move(to: place, why: words)
      return
    }
    if recovered == true {
      views[key, default: RoomView()].note("\(words) \(place)")
      if place != since {
        blame(\.wrongAnswers, key, "was told it is recovered at \(place), having asked since \(since)")
        views[key]?.position = place
      }
    } else {
      counts.announced += 1
      views[key, default: RoomView()].move(to: place, why: "\(words) \(reason ?? "")")
      if recovered == false && reason?.isEmpty != false {
        blame(\.wrongAnswers, key, "is not recovered, without a reason")
      }
    }
  }

  public mutating func resync(_ client: Int, _ room: String, to place: Position, reason: String) {
    counts.announced += 1
    views[Key(client: client, room: room), default: RoomView()].move(to: place, why: "resync \(reason)")
  }

  public mutating func heard(_ client: Int, _ room: String, offset: Int, id: String, content: String) {
    take(client, room, offset: offset, id: id, content: content, as: "message")
  }

  /// - Parameter isDuplicate: the ack names where the message was stored before, and moves nothing.
  public mutating func acked(
    _ client: Int, _ room: String, at place: Position, id: String, content: String, isDuplicate: Bool
  ) {
    let key = Key(client: client, room: room)
    if acked.insert(content).inserted { counts.acked += 1 }
    raiseTop(room, place)
    if isDuplicate {
      views[key]?.note("ack of a duplicate \(place) \(content)")
      if let known = places[Place(room: room, position: place)], known.content != content {
        blame(\.divergent, key, "is told that \(content) is at \(place), where \(known.content) is")
      }
      return
    }
    if let known = views[key]?.position, known.epoch != place.epoch {
      blame(\.misordered, key, "stands at \(known) and gets an ack at \(place)")
      return
    }
    take(client, room, offset: place.offset, id: id, content: content, as: "ack")
  }

  private mutating func take(
    _ client: Int, _ room: String, offset: Int, id: String, content: String, as kind: String
  ) {
    let key = Key(client: client, room: room)
    counts.delivered += 1
    switch views[key, default: RoomView()].take(Said(content), id: id, at: offset, as: kind) {
    case .inPlace: break
    case .doubled: blame(\.doubled, key, "got \(content) (\(id)) twice, now at \(offset)", around: id)
    case .misordered: blame(\.misordered, key, "got \(kind) \(offset) \(content) behind its position")
    }
    guard let epoch = views[key]?.position?.epoch else { return }
    let place = Place(room: room, position: Position(epoch, offset))
    raiseTop(room, place.position)
    if let known = places[place] {
      if known != (id, content) {
        blame(\.divergent, key, "has \(content) (\(id)) at \(place.position), others \(known.content) (\(known.id))")
      }
    } else {
      places[place] = (id, content)
    }
  }

  private mutating func raiseTop(_ room: String, _ place: Position) {
    let run = Place(room: room, position: Position(place.epoch, 0))
    tops[run] = max(tops[run] ?? 0, place.offset)
  }

  // MARK: The verdict

  /// Judges what only the end shows.
  ///
  /// - Parameters:
  ///   - members: who is in which room at the end, with nothing on its way.
  ///   - finals: a message of each room that was said when all of them were in.
  public mutating func finish(members: [(client: Int, room: String)], finals: [String: String]) {
    for (key, view) in views.sorted(by: { ($0.key.client, $0.key.room) < ($1.key.client, $1.key.room) }) {
      for hole in view.holes { judge(hole.offsets, of: hole.epoch, missingIn: view, key) }
      for content in view.overtaken where !unordered.contains(content) {
        blame(\.misordered, key, "got \(content) after a later message of its sender", around: content)
      }
    }
    for (client, room) in members {
      let key = Key(client: client, room: room)
      guard let view = views[key], let place = view.position else { continue }
      if let final = finals[room], !view.has(final) {
        blame(\.lost, key, "never got \(final), the room's last message")
      }
      let top = tops[Place(room: room, position: Position(place.epoch, 0))] ?? 0
      if top > place.offset { judge(place.offset + 1...top, of: place.epoch, missingIn: view, key) }
    }
  }

  /// A place may only be missing when its message came before, under another offset of an earlier epoch: the node
  /// swallows such a repeat.
  private mutating func judge(_ offsets: ClosedRange<Int>, of epoch: String, missingIn view: RoomView, _ key: Key) {
    for offset in offsets {
      let known = places[Place(room: key.room, position: Position(epoch, offset))]
      if let known, view.has(known.content) { continue }
      let what = known.map { "\($0.content), acked: \(acked.contains($0.content))" } ?? "unknown to all"
      blame(\.lost, key, "lacks \(epoch):\(offset) (\(what)) and was not told", around: " \(offset + 1) ")
    }
  }

  // MARK: Evidence

  mutating func blame(_ column: WritableKeyPath<Counts, Int>, _ key: Key, _ what: String, around text: String? = nil) {
    counts[keyPath: column] += 1
    guard evidence.count < 12 else { return }
    let view = views[key] ?? RoomView()
    let log = text.map { view.log(around: $0) } ?? view.tail(12)
    evidence.append("\(key.room), client \(key.client) \(what)\n" + log.map { "      \($0)\n" }.joined())
  }

  /// Something is wrong about a message that the client said.
  public mutating func blame(
    _ column: WritableKeyPath<Counts, Int>, client: Int, room: String, message: String, _ what: String
  ) {
    blame(column, Key(client: client, room: room), "said \(message), which \(what)", around: message)
  }

  /// Something is wrong that no client's view shows.
  public mutating func blame(_ column: WritableKeyPath<Counts, Int>, _ what: String, times: Int = 1) {
    guard times > 0 else { return }
    counts[keyPath: column] += times
    if evidence.count < 12 { evidence.append(what + "\n") }
  }
}
