import Buffers
import RealtimeCore

/// A hub, the memory relay, and as much of a shard as the hub relies on.
struct HubBench: ~Copyable {
  private var hub: Hub
  private var relay: LocalRelay
  private var shard = ShardBooks()
  private var now = Now(monotonic: 1_000_000, wall: 1_760_000_000_000)
  private var seed: UInt64 = 7
  private var epoch = ""
  private var elsewhere: UInt = 0
  /// Requests whose answers wait.
  private var held: [(request: RelayRequest, ticket: RelayTicket)] = []
  private var holdsRequests = false

  init() {
    var configuration = HubConfiguration(instance: "n1-abcdef")
    configuration.historyMessages = 8
    configuration.recoveryMessages = 6
    hub = Hub(configuration, seed: 1, now: now)
    relay = LocalRelay(seed: seed, historyMessages: 8, now: now)
  }

  /// Does what the line says; lines that say nothing are passed over.
  mutating func perform(_ line: ArraySlice<UInt8>) throws(Finding) {
    let rest = Array(line.dropFirst())
    switch line.first.map({ Character(UnicodeScalar($0)) }) {
    case "0", "1", "2": try say(UInt32(line[line.startIndex] - 48), rest)
    case "+": come(UInt32(rest.first ?? 0) % 3)
    case "-": go(UInt32(rest.first ?? 0) % 3)
    case "f": hub.handle(.frame(withEpoch(rest)), now: now)
    case "d": hub.handle(.directed(withEpoch(rest)), now: now)
    case "v": revoke(rest)
    case "k": hub.handle(.disconnectUser(id(9), user: "ann", reason: String(decoding: rest, as: UTF8.self)), now: now)
    case "n": hub.handle(.drainNode(id(9), node: String(decoding: rest, as: UTF8.self)), now: now)
    case "a":
      hub.handle(.beginDrain, now: now)
      hub.handle(.sendAway(id(UInt32(rest.first ?? 0) % 3)), now: now)
    case "t": try advance(Int64(Self.numbers(rest).first ?? 1) % 100_000)
    case "p": store(rest, isHeard: true)
    case "q": store(rest, isHeard: false)
    case "h": holdsRequests.toggle()
    case "r": release(nil)
    case "R": release(Self.numbers(rest))
    case "s": hub.handle(.state(Self.states[(Self.numbers(rest).first ?? 0) % Self.states.count]), now: now)
    case "x":
      seed += 1
      relay = LocalRelay(seed: seed, historyMessages: 8, now: now)
    default: return
    }
    try turn()
  }

  /// Lets the hub's own deadlines pass.
  mutating func advance(_ milliseconds: Int64) throws(Finding) {
    let end = now.monotonic + milliseconds
    for _ in 0..<2_000 {
      guard let due = hub.nextDeadline, due <= end else { break }
      pass(max(0, due - now.monotonic))
      hub.tick(now: now)
      try turn()
    }
    pass(max(0, end - now.monotonic))
  }

  private mutating func pass(_ milliseconds: Int64) {
    now = Now(monotonic: now.monotonic + milliseconds, wall: now.wall + milliseconds)
  }

  private static let states: [RelayState] = [.connected, .suspect, .degraded, .recovering, .starting]

  /// The numbers between the blanks of `text`.
  private static func numbers(_ text: [UInt8]) -> [Int] {
    text.split(separator: UInt8(ascii: " ")).compactMap { word in
      Int(String(decoding: word, as: UTF8.self)).map { Int(clamping: $0.magnitude) }
    }
  }

  // MARK: Clients

  private func id(_ slot: UInt32) -> ConnectionID { ConnectionID(shard: 0, generation: 1, slot: slot) }

  private mutating func come(_ slot: UInt32) {
    guard shard.come(id(slot)) else { return }
    // Two of them are one user.
    guard let user = Identity(user: slot == 2 ? "7" : "ann", name: "", isAdmin: slot == 2) else { return }
    hub.handle(.connect(id(slot), user, TokenStamp(id: "t\(slot)", issuedAt: Int64(slot))), now: now)
  }

  private mutating func revoke(_ name: [UInt8]) {
    let name = String(decoding: name, as: UTF8.self)
    let end = now.wall / 1_000 + 60
    let wanted = [Revocation.token(name, until: end), .user(name, issuedUntil: 1, until: end)].compactMap(\.self)
    hub.handle(.revoke(id(9), wanted), now: now)
  }

  private mutating func go(_ slot: UInt32) {
    guard shard.go(id(slot)) else { return }
    hub.handle(.disconnect(id(slot), slot == 1 ? .left : .lost), now: now)
  }

  private mutating func say(_ slot: UInt32, _ said: [UInt8]) throws(Finding) {
    let bytes = withEpoch(said)
    guard let message = unsafe try? ClientMessage.parse(bytes.span.bytes) else { return }
    guard let command = shard.command(id(slot), message, bytes) else { return }
    hub.handle(command, now: now)
  }

  // MARK: The relay

  /// `"epoch":"E"` becomes the room's own epoch.
  private func withEpoch(_ frame: [UInt8]) -> [UInt8] {
    let mark = Array(#""epoch":"E""#.utf8)
    guard let first = frame.firstRange(of: mark) else { return frame }
    return Array(frame[..<first.lowerBound]) + Array(#""epoch":"\#(epoch)""#.utf8) + frame[first.upperBound...]
  }

  private mutating func store(_ content: [UInt8], isHeard: Bool) {
    guard JSONDifference.problem(in: content) == nil, let room = RoomName("r") else { return }
    elsewhere += 1
    var scratch = ByteBuffer()
    let envelope = unsafe RelayEnvelope.message(
      room: room, payload: content.span.bytes, sender: Identity(user: "eve", name: ""),
      timestamp: Timestamp(milliseconds: now.wall), id: MessageID(incarnation: "n2", counter: elsewhere),
      clientID: RawSpan(), origin: nil, scratch: &scratch)
    let publication = Publication(text: envelope.text, userID: "eve", clientID: Array("\(elsewhere)".utf8))
    relay.advance(to: now)
    relay.submit(.publish(room, [publication]), ticket: 0)
    var events: [RelayEvent] = []
    relay.takeEvents(into: &events)
    for event in events {
      guard case .reply(0, .published(let outcomes)) = event, let place = outcomes.first?.position else {
        hub.handle(event, now: now)
        continue
      }
      epoch = place.epoch
      guard isHeard else { continue }
      var frame = ByteBuffer()
      envelope.appendRelayFrame(to: &frame, epoch: place.epoch, offset: place.offset, token: "local")
      hub.handle(.frame(frame.array()), now: now)
    }
  }

  /// Answers the first request that waits: as the relay does, or with these numbers.
  private mutating func release(_ numbers: [Int]?) {
    guard !held.isEmpty else { return }
    let (request, ticket) = held.removeFirst()
    guard let numbers else { return relay.submit(request, ticket: ticket) }
    hub.handle(.reply(ticket, HostileReply(numbers, epoch: epoch).answer(request)), now: now)
  }

  // MARK: A turn

  private mutating func turn() throws(Finding) {
    relay.advance(to: now)
    for _ in 0..<1_000 {
      hub.endTurn(now: now)
      let actions = hub.output.actions
      let text = hub.output.text.array()
      hub.output.removeAll()
      for action in actions {
        if case .relay(let request, let ticket) = action {
          if holdsRequests { held.append((request, ticket)) } else { relay.submit(request, ticket: ticket) }
        } else {
          try shard.perform(action, text)
        }
      }
      var events: [RelayEvent] = []
      relay.takeEvents(into: &events)
      for event in events {
        if case .reply(_, .published(let outcomes)) = event { epoch = outcomes.first?.position.epoch ?? epoch }
        hub.handle(event, now: now)
      }
      for command in shard.takeCommands() { hub.handle(command, now: now) }
      if events.isEmpty && hub.output.actions.isEmpty { return }
    }
    throw Finding(description: "a turn that does not end")
  }
}
