import RoostTesting

@testable import RoostClient

/// A client's core and a server's model with a network between them that a seed makes bad. No sockets, no clock.
struct ClientWorld {
  var core: ClientCore
  var server = ModelServer()
  var chance: SeededGenerator
  var now: Int64 = 1_000_000
  /// On its way to the server, in order.
  private var toServer: [[UInt8]] = []
  private var isConnected = false
  private(set) var connections = 0
  private(set) var answers: [Int: Result<ClientCore.Answer, ClientError>] = [:]
  private(set) var answeredTwice = 0
  private(set) var events: [ClientEvent] = []
  /// Contents of messages, by the ticket of their call.
  private(set) var sent: [(ticket: Int, content: String)] = []
  private var tickets = 0
  private var said = 0
  /// Whether connecting works always.
  var isCalm = false

  init(seed: UInt64, _ adjust: (inout ClientRules) -> Void = { _ in }) {
    chance = SeededGenerator(seed: seed)
    var rules = ClientRules(idPrefix: "me", seed: seed)
    (rules.backoff, rules.longestBackoff) = (10, 1_000)
    adjust(&rules)
    core = ClientCore(rules, token: nil)
  }

  /// In the room `r`, at offset 0 of epoch `e1`; nothing is on its way.
  static func joined(_ adjust: (inout ClientRules) -> Void = { _ in }) -> ClientWorld {
    var world = ClientWorld(seed: 1, adjust)
    world.isCalm = true
    _ = world.connect()
    _ = world.call(.join(room: "r", history: 0, since: nil))
    world.deliverToServer()
    world.deliverToClient()
    return world
  }

  mutating func ticket() -> Int {
    tickets += 1
    return tickets
  }

  mutating func call(_ call: ClientCore.Call) -> Int {
    let ticket = ticket()
    core.call(call, ticket: ticket, now)
    perform()
    return ticket
  }

  mutating func connect() -> Int {
    let ticket = ticket()
    core.connect(ticket: ticket, now)
    perform()
    return ticket
  }

  mutating func say() {
    let content = "mine \(sent.count)"
    sent.append((call(.send(JSONText(content: content), room: "r", id: nil)), content))
  }

  mutating func othersSay() {
    said += 1
    server.others(say: "other \(said)")
  }

  /// Does what the core has decided.
  mutating func perform() {
    while !core.actions.isEmpty {
      for action in core.takeActions() { perform(action) }
    }
  }

  private mutating func perform(_ action: ClientCore.Action) {
    switch action {
    case .connect:
      switch isCalm ? 9 : Int.random(in: 0..<10, using: &chance) {
      case 0: core.ended(.failed("refused"), now)
      case 1: core.ended(.refused(status: 503, retryAfter: 20), now)
      default:
        (isConnected, toServer) = (true, [])
        connections += 1
        server.connected()
        core.opened(now)
      }
    case .send(let text): if isConnected { toServer.append(text) }
    case .ping: core.heard(now)
    case .drop: cutWithoutTelling()
    case .close:
      cutWithoutTelling()
      core.ended(.closed(code: 1_000, reason: ""), now)
    case .fetchToken: core.tokenArrived("token", now)
    case .answer(let ticket, let result):
      if answers.updateValue(result, forKey: ticket) != nil { answeredTwice += 1 }
    }
  }

  private mutating func cutWithoutTelling() {
    (isConnected, toServer, server.outgoing, server.isMember) = (false, [], [], false)
  }

  /// The network goes: what is on its way is lost, on both sides.
  mutating func cut(_ ending: ClientCore.Ending = .lost) {
    guard isConnected else { return }
    cutWithoutTelling()
    core.ended(ending, now)
    perform()
  }

  mutating func deliverToServer() {
    guard !toServer.isEmpty else { return }
    server.received(toServer.removeFirst(), chance: Int.random(in: 0..<100, using: &chance))
  }

  mutating func deliverToClient() {
    guard isConnected, !server.outgoing.isEmpty else { return }
    let text = Array(server.outgoing.removeFirst().utf8)
    core.heard(now)
    core.received(text, now)
    perform()
  }

  /// What waits for the client to be told.
  mutating func deliver(_ text: String) {
    core.received(Array(text.utf8), now)
    perform()
  }

  mutating func pass(_ milliseconds: Int64) {
    now += milliseconds
    core.tick(now)
    perform()
  }

  mutating func listen(_ count: Int) {
    for _ in 0..<count {
      guard let event = core.takeEvent(now) else { return }
      events.append(event)
      perform()
    }
  }

  /// Lets everything come to rest. False when it does not.
  mutating func settle() -> Bool {
    for _ in 0..<200_000 {
      let isQuiet = toServer.isEmpty && server.outgoing.isEmpty
      deliverToServer()
      deliverToClient()
      listen(4)
      if isQuiet, isIdle {
        listen(.max)
        if isIdle, toServer.isEmpty, server.outgoing.isEmpty { return true }
      }
      if isQuiet, let deadline = core.deadline(now) { pass(max(1, min(deadline - now, 50))) }
    }
    return false
  }

  private var isIdle: Bool {
    core.phase == .open && core.requests.items.isEmpty && core.rooms.values.allSatisfy { $0.phase == .joined }
  }

  var messages: [RoomMessage] {
    events.compactMap { if case .message(let message) = $0 { message } else { nil } }
  }

  func count(_ isMeant: (ClientEvent) -> Bool) -> Int { events.count { isMeant($0) } }

  func receipt(_ ticket: Int) -> Receipt? {
    if case .success(.receipt(let receipt)) = answers[ticket] { receipt } else { nil }
  }
}
