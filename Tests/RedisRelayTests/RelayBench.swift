import Buffers
import EventLoops
import RealtimeCore
import RedisRelay
import RoostTesting
import Simulation
import Testing
import Transport

/// One node's view: the relay, and what it said so far.
final class BenchNode {
  var relay: NodeRelay
  /// Wires that have something, since the last turn.
  var rings: [(place: Int, isReadable: Bool)] = []
  fileprivate(set) var replies: [RelayTicket: RelayReply] = [:]
  /// Order in which replies came.
  fileprivate(set) var answered: [RelayTicket] = []
  /// All events except replies. Tests may empty it.
  var events: [RelayEvent] = []
  fileprivate(set) var notices: [String] = []

  init(_ relay: consuming NodeRelay) { self.relay = relay }

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

  init(world: World? = nil) throws {
    self.world = world
    loop = try EventLoop()
  }

  private var now: Now {
    Now(monotonic: world?.now ?? monotonicMilliseconds(), wall: world?.clock.wall ?? wallClockMilliseconds())
  }

  deinit { for node in nodes { node.relay.stop() } }

  /// Wires' tokens are their node's number and their place.
  private static let places: UInt64 = 100

  @discardableResult
  func add(
    _ configuration: RedisRelayConfiguration, secure: (client: TLSClient, host: String)? = nil, seed: UInt64 = 1
  ) -> BenchNode {
    add(NodeRelay(relay(configuration, secure: secure, place: 0, seed: seed)))
  }

  @discardableResult
  func add(_ relay: consuming NodeRelay) -> BenchNode {
    let node = BenchNode(relay)
    nodes.append(node)
    node.relay.start(now: now)
    return node
  }

  func addLocal(seed: UInt64, history: Int) -> BenchNode {
    add(NodeRelay(LocalRelay(seed: seed, historyMessages: history, now: now)))
  }

  /// Over several real servers.
  func addSpread(
    _ servers: [RedisServer], node: String = "n1", history: Int = 300, topology: RelayTopology = .broadcast
  ) throws -> BenchNode {
    var relays = Slab<RedisRelay>()
    for (number, server) in servers.enumerated() {
      var configuration = try RedisRelayConfiguration.test(server, node: node, history: history)
      configuration.topology = topology
      (configuration.serverNumber, configuration.serverCount) = (number + 1, servers.count)
      _ = relays.insert(relay(configuration, place: 2 * number, seed: UInt64(number + 1)))
    }
    return add(NodeRelay(SpreadRelay(relays, secret: RelaySurroundings.machine(waking: loop).secret)))
  }

  /// A relay of the next node's.
  private func relay(
    _ configuration: RedisRelayConfiguration, secure: (client: TLSClient, host: String)? = nil, place: Int,
    seed: UInt64
  ) -> RedisRelay {
    let token = UInt64(nodes.count) * Self.places + UInt64(place)
    return RedisRelay(
      configuration: configuration, command: SocketWire(loop: loop, token: token, secure: secure),
      subscriber: SocketWire(loop: loop, token: token + 1, secure: secure), surroundings: .machine(waking: loop),
      seed: seed &+ token)
  }

  /// One turn, as a node's shard makes it.
  func turn(atMost milliseconds: Int64 = 20) {
    if let world {
      world.run(for: 1_000)
    } else {
      let earliest = nodes.compactMap { $0.relay.nextDeadline }.min() ?? .max
      let wait = max(0, min(milliseconds, earliest == .max ? milliseconds : earliest - monotonicMilliseconds()))
      _ = loop.wait(into: &buffer, timeout: CInt(wait))
    }
    let now = now
    for index in 0..<buffer.count {
      let event = buffer[index]
      guard event.token < UInt64(nodes.count) * Self.places else { continue }
      nodes[Int(event.token / Self.places)].rings.append((Int(event.token % Self.places), event.isReadable))
    }
    for node in nodes {
      node.relay.advance(to: now)
      for ring in node.rings { node.relay.ready(place: ring.place, isReadable: ring.isReadable, now: now) }
      node.rings = []
      node.relay.endTurn(now: now)
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
    let deadline = now.monotonic + Int64(seconds * 1_000)
    while !isThere() {
      guard now.monotonic < deadline else {
        throw TooLate(description: "\(what) did not happen; notices: \(nodes.map { $0.notices.suffix(4) })")
      }
      turn()
    }
  }

  func waitConnected() throws { try wait("connected") { nodes.allSatisfy { $0.state == .connected } } }

  /// Lets time pass for all relays.
  func run(milliseconds: Int64) {
    let end = now.monotonic + milliseconds
    while case let rest = end - now.monotonic, rest > 0 { turn(atMost: min(20, rest)) }
  }

  func submit(_ request: RelayRequest, on node: BenchNode) -> RelayTicket {
    lastTicket += 1
    node.relay.advance(to: now)
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
