import EventLoops
import RealtimeCore
import RedisRelay
import RoostTesting
import Simulation
import Testing
import Transport

/// A relay on the bench, whatever its kind.
protocol RelayOnBench: AnyObject {
  func submit(_ request: RelayRequest, ticket: RelayTicket)
  func follow(_ room: RoomName)
  func unfollow(_ room: RoomName)
  func takeEvents(into events: inout [RelayEvent])
  func ready(_ event: EventBuffer.Event, now: Int64)
  func tick(now: Int64)
  var nextDeadline: Int64 { get }
  var tokens: [UInt64] { get }
  func stop()
  func takeNotices() -> [String]
}

final class RedisOnBench: RelayOnBench {
  var relay: RedisRelay
  let tokens: [UInt64]

  init(
    _ configuration: RedisRelayConfiguration, secure: (client: TLSClient, host: String)?, loop: EventLoop,
    tokens: [UInt64], seed: UInt64
  ) {
    self.tokens = tokens
    relay = RedisRelay(
      configuration: configuration, command: SocketWire(loop: loop, token: tokens[0], secure: secure),
      subscriber: SocketWire(loop: loop, token: tokens[1], secure: secure), surroundings: .machine(waking: loop),
      seed: seed)
    relay.start(now: monotonicMilliseconds())
  }

  func submit(_ request: RelayRequest, ticket: RelayTicket) {
    relay.advance(to: monotonicMilliseconds())
    relay.submit(request, ticket: ticket)
  }
  func follow(_ room: RoomName) { relay.follow(room) }
  func unfollow(_ room: RoomName) {
    relay.advance(to: monotonicMilliseconds())
    relay.unfollow(room)
  }
  func takeEvents(into events: inout [RelayEvent]) { relay.takeEvents(into: &events) }
  func ready(_ event: EventBuffer.Event, now: Int64) {
    relay.ready(event.token == tokens[0] ? .command : .subscriber, isReadable: event.isReadable, now: now)
  }
  func tick(now: Int64) { relay.tick(now: now) }
  var nextDeadline: Int64 { relay.nextDeadline }
  func stop() { relay.stop() }
  func takeNotices() -> [String] { relay.takeNotices() }
}

final class LocalOnBench: RelayOnBench {
  var relay: LocalRelay
  let tokens: [UInt64] = []

  init(seed: UInt64, historyMessages: Int) {
    relay = LocalRelay(seed: seed, historyMessages: historyMessages, now: Self.now(monotonicMilliseconds()))
  }

  func submit(_ request: RelayRequest, ticket: RelayTicket) { relay.submit(request, ticket: ticket) }
  func follow(_ room: RoomName) { relay.follow(room) }
  func unfollow(_ room: RoomName) { relay.unfollow(room) }
  func takeEvents(into events: inout [RelayEvent]) { relay.takeEvents(into: &events) }
  func ready(_ event: EventBuffer.Event, now: Int64) {}
  func tick(now: Int64) { relay.advance(to: Self.now(now)) }
  var nextDeadline: Int64 { .max }
  func stop() {}
  func takeNotices() -> [String] { [] }

  private static func now(_ monotonic: Int64) -> Now { Now(monotonic: monotonic, wall: wallClockMilliseconds()) }
}

/// One node's view: the relay, and what it said so far.
final class BenchNode {
  let relay: any RelayOnBench
  fileprivate(set) var replies: [RelayTicket: RelayReply] = [:]
  /// Order in which replies came.
  fileprivate(set) var answered: [RelayTicket] = []
  /// All events except replies. Tests may empty it.
  var events: [RelayEvent] = []
  fileprivate(set) var notices: [String] = []

  init(_ relay: any RelayOnBench) { self.relay = relay }

  var state: RelayState? {
    for case .state(let state) in events.reversed() { return state }
    return nil
  }
  /// Every change of it; `nil` when all was well again.
  var troubles: [RelayTrouble?] {
    events.compactMap { if case .trouble(let trouble) = $0 { .some(trouble) } else { nil } }
  }
  var generations: [String] { events.compactMap { if case .generation(let id, _) = $0 { id } else { nil } } }
  var token: String {
    for case .generation(_, let token) in events.reversed() { return token }
    return ""
  }
  var frames: [String] {
    events.compactMap { if case .frame(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil } }
  }
  var directed: [String] {
    events.compactMap { if case .directed(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil } }
  }
  var followed: [String] { events.compactMap { if case .followed(let room) = $0 { room.text } else { nil } } }
  var resubscriptions: Int { events.reduce(0) { if case .resubscribed = $1 { $0 + 1 } else { $0 } } }
}

/// Drives one loop and several relays ("nodes") on the test's own thread, until what is awaited happened.
final class RelayBench {
  struct TooLate: Error, CustomStringConvertible { let description: String }

  let loop: EventLoop
  /// Set: all happens in its time, and nothing in the machine's.
  private let world: World?
  private(set) var nodes: [BenchNode] = []
  private var buffer = EventBuffer(capacity: 64)
  private var lastTicket: RelayTicket = 0
  private var owners: [UInt64: BenchNode] = [:]

  init(world: World? = nil) throws {
    self.world = world
    loop = try EventLoop()
  }

  private var now: Int64 { world?.now ?? monotonicMilliseconds() }

  deinit { for node in nodes { node.relay.stop() } }

  @discardableResult
  func add(
    _ configuration: RedisRelayConfiguration, secure: (client: TLSClient, host: String)? = nil, seed: UInt64 = 1
  ) -> BenchNode {
    let first = UInt64(nodes.count) * 2 + 1
    let tokens = [first, first + 1]
    return add(RedisOnBench(configuration, secure: secure, loop: loop, tokens: tokens, seed: seed &+ first))
  }

  @discardableResult
  func add(_ relay: any RelayOnBench) -> BenchNode {
    let node = BenchNode(relay)
    nodes.append(node)
    for token in relay.tokens { owners[token] = node }
    return node
  }

  /// One turn, as a node's shard makes it.
  func turn(atMost milliseconds: Int64 = 20) {
    if let world {
      world.run(for: 1_000)
    } else {
      let earliest = nodes.map(\.relay.nextDeadline).min() ?? .max
      let wait = max(0, min(milliseconds, earliest == .max ? milliseconds : earliest - monotonicMilliseconds()))
      _ = loop.wait(into: &buffer, timeout: CInt(wait))
    }
    let now = now
    for index in 0..<buffer.count { owners[buffer[index].token]?.relay.ready(buffer[index], now: now) }
    for node in nodes {
      node.relay.tick(now: now)
      var events: [RelayEvent] = []
      node.relay.takeEvents(into: &events)
      for event in events {
        if case .reply(let ticket, let reply) = event {
          node.replies[ticket] = reply
          node.answered.append(ticket)
        } else {
          node.events.append(event)
        }
      }
      node.notices += node.relay.takeNotices()
    }
  }

  /// - Parameter seconds: when to give up on a busy machine, not how long it takes.
  func wait(_ what: String, seconds: Double = 120, until isThere: () -> Bool) throws {
    let deadline = now + Int64(seconds * 1_000)
    while !isThere() {
      guard now < deadline else {
        throw TooLate(description: "\(what) did not happen; notices: \(nodes.map { $0.notices.suffix(4) })")
      }
      turn()
    }
  }

  func waitConnected() throws { try wait("connected") { nodes.allSatisfy { $0.state == .connected } } }

  /// Lets time pass for all relays.
  func run(milliseconds: Int64) {
    let end = now + milliseconds
    while case let rest = end - now, rest > 0 { turn(atMost: min(20, rest)) }
  }

  func submit(_ request: RelayRequest, on node: BenchNode) -> RelayTicket {
    lastTicket += 1
    node.relay.submit(request, ticket: lastTicket)
    return lastTicket
  }

  /// Waits until the room's frames come.
  func follow(_ room: String, on node: BenchNode) throws {
    let before = node.followed.count
    node.relay.follow(RoomName(room)!)
    try wait("\(room) is followed") { node.followed.count > before }
  }

  func reply(_ ticket: RelayTicket, on node: BenchNode) throws -> RelayReply {
    try wait("a reply") { node.replies[ticket] != nil }
    return try #require(node.replies[ticket])
  }

  func call(_ request: RelayRequest, on node: BenchNode) throws -> RelayReply {
    try reply(submit(request, on: node), on: node)
  }

  // MARK: Requests, with the reply they must get

  func publish(_ ids: [String], user: String = "u", room: String = "r", on node: BenchNode) throws -> [PublishOutcome] {
    let request = RelayRequest.publish(RoomName(room)!, ids.map { Self.publication($0, user: user, room: room) })
    guard case .published(let outcomes) = try call(request, on: node) else { throw TooLate(description: "no publish") }
    return outcomes
  }

  static func publication(_ id: String, user: String = "u", room: String = "r") -> Publication {
    let text = #"{"type":"new_message","room":"\#(room)","payload":"\#(id)""#
    return Publication(text: Array(text.utf8), userID: user, clientID: Array(id.utf8))
  }

  func read(_ room: String = "r", _ known: Position?, on node: BenchNode) throws -> RoomRead {
    guard case .read(let reads) = try call(.read([(RoomName(room)!, known)]), on: node), reads.count == 1 else {
      throw TooLate(description: "no read")
    }
    return reads[0]
  }

  func history(
    _ room: String = "r", before: Int? = nil, limit: Int = 100, on node: BenchNode
  ) throws -> RoomHistory {
    let question = RelayRequest.history(RoomName(room)!, before: before, limit: limit)
    guard case .history(let history) = try call(question, on: node) else {
      throw TooLate(description: "no history")
    }
    return history
  }

  func register(_ incarnation: String, replaces: String? = nil, connections: Int = 0, on node: BenchNode) throws {
    let reply = try call(.register(incarnation: incarnation, replaces: replaces, connections: connections), on: node)
    guard case .alive = reply else { throw TooLate(description: "not registered: \(reply)") }
  }

  func heartbeat(_ incarnation: String, connections: Int = 0, on node: BenchNode) throws -> RelayReply {
    try call(.heartbeat(incarnation: incarnation, connections: connections), on: node)
  }

  func change(_ incarnation: String, _ changes: [PresenceChange], on node: BenchNode) throws -> RelayReply {
    try call(.changePresence(incarnation: incarnation, changes), on: node)
  }

  func join(_ user: String, _ room: String?, _ incarnation: String, on node: BenchNode) throws {
    let change = PresenceChange(room: room.map { RoomName($0)! }, user: user, name: user + "!", isJoin: true)
    guard case .presenceChanged = try self.change(incarnation, [change], on: node) else {
      throw TooLate(description: "not joined")
    }
  }

  func leave(_ user: String, _ room: String?, _ incarnation: String, on node: BenchNode) throws {
    let change = PresenceChange(room: room.map { RoomName($0)! }, user: user, name: user + "!", isJoin: false)
    guard case .presenceChanged = try self.change(incarnation, [change], on: node) else {
      throw TooLate(description: "not left")
    }
  }

  func roster(_ room: String = "r", on node: BenchNode) throws -> Roster {
    guard case .roster(let roster) = try call(.roster(RoomName(room)!), on: node) else {
      throw TooLate(description: "no roster")
    }
    return roster
  }
}

extension RelayReply {
  var isFenced: Bool { if case .fenced = self { true } else { false } }
  var failure: RelayFailure? { if case .failed(let failure) = self { failure } else { nil } }
}

extension RedisRelayConfiguration {
  /// Short leases, so that tests need not wait long.
  static func test(
    _ server: RedisServer, node: String, history: Int = 300, lease: Int = 6_000, beat: Int = 2_000
  ) throws -> Self {
    var configuration = try RedisRelayConfiguration(server: RedisURL(server.url), nodeID: node)
    configuration.historyMessages = history
    configuration.leaseMilliseconds = lease
    configuration.heartbeatMilliseconds = beat
    return configuration
  }
}
