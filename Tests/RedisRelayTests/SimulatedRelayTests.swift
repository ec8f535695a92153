import RealtimeCore
import RedisRelay
import Simulation
import Testing

/// Relays in a time that the test turns by hand.
@Suite struct SimulatedRelayTests {
  @Test func `what is asked after an idle second waits from then on, and not since the last turn`() throws {
    let world = World(seed: 1)
    let bench = try RelayBench(world: world)
    let node = try SimulatedServers(world: world).add(to: bench)
    try bench.waitConnected()
    world.run(for: 1_000_000)  // nobody takes a turn meanwhile
    guard case .online = try bench.call(.online, on: node) else { return #expect(Bool(false), "it was given up") }
  }

  // MARK: Several servers

  /// Two servers in a world, a node, and a room on each.
  private struct Pair {
    let world = World(seed: 1)
    let bench: RelayBench
    let redis: [SimulatedRedis]
    let node: BenchNode
    let rooms = ["r0", "r1", "r2", "r3", "r4", "r5"]

    /// - Parameter isLate: the second server is not there when the node starts.
    init(isLate: Bool = false) throws {
      bench = try RelayBench(world: world)
      let servers = try SimulatedServers(world: world, count: 2)
      redis = servers.servers
      if isLate { redis[1].crash() }
      node = servers.add(to: bench)
      try bench.waitConnected()
    }

    func room(on server: Int) -> String {
      rooms.first { RoomSpread(servers: 2).server(of: RoomName($0)!) == server }!
    }

    func join(_ user: String, on server: Int) throws -> RelayReply {
      let change = PresenceChange(room: RoomName(room(on: server)), user: user, name: user, isJoin: true)
      return try bench.change("i1", [change], on: node)
    }

    /// As many as there were, and no more in half a minute.
    func expectGenerations(_ count: Int) {
      bench.run(milliseconds: 30_000)
      #expect(node.generations.count == count)
    }
  }

  @Test func `A server that is late to the start is one generation more`() throws {
    let pair = try Pair(isLate: true)
    #expect(pair.node.generations.count == 1 && pair.node.resubscriptions == 1)
    try pair.bench.register("i1", on: pair.node)
    #expect(try pair.join("ann", on: 1).failure == nil, "it holds nothing up")
    pair.redis[1].start(with: .nothing, isSameHistory: false)
    try pair.bench.wait("a beginning") { pair.node.generations.count == 2 }
    pair.expectGenerations(2)
  }

  @Test func `What a server does not answer for a moment is asked again, and begins nothing`() throws {
    let pair = try Pair()
    try pair.bench.register("i1", on: pair.node)
    pair.redis[1].pause()
    #expect(try pair.join("ann", on: 1).failure == .outcomeUnknown)
    let again = RelayRequest.register(incarnation: "i2", replaces: "i1", connections: 1)
    #expect(try pair.bench.call(again, on: pair.node).failure != nil)
    pair.redis[1].resume()
    try pair.bench.wait("all is well") { pair.node.relay.states == [.connected, .connected] }
    #expect(try pair.join("ann", on: 1).failure == nil)
    pair.expectGenerations(1)
  }

  @Test func `Who was long away is told of everything once`() throws {
    let pair = try Pair()
    pair.redis[1].pause()
    try pair.bench.wait("it is away") { pair.node.relay.states[1] == .degraded }
    try pair.bench.register("i1", on: pair.node)
    for user in ["ann", "bob"] { #expect(try pair.join(user, on: 1).failure == nil) }
    pair.redis[1].resume()
    try pair.bench.wait("a beginning") { pair.node.generations.count == 2 }
    pair.expectGenerations(2)
  }

  @Test func `A lease that was not taken by a server that was away is taken when it is back`() throws {
    let pair = try Pair()
    pair.redis[1].pause()
    try pair.bench.wait("it is away") { pair.node.relay.states[1] == .degraded }
    try pair.bench.register("i1", on: pair.node)
    pair.redis[1].resume()
    try pair.bench.wait("a beginning") { pair.node.generations.count == 2 }
  }

  @Test func `A server that refuses presence is told again seldom, and holds nothing up`() throws {
    let pair = try Pair()
    try pair.bench.register("i1", on: pair.node)
    pair.redis[1].refusal = "MISCONF Errors writing to the disk"
    for number in 0..<40 {
      #expect(try pair.join("u\(number)", on: 1).failure == nil)
      #expect(try pair.join("u\(number)", on: 0).failure == nil)
      pair.bench.run(milliseconds: 500)
    }
    #expect(pair.node.generations.count == 1)
    pair.redis[1].refusal = nil
    try pair.bench.wait("a beginning", seconds: 130) { pair.node.generations.count == 2 }
    pair.expectGenerations(2)
  }

  @Test func `With all servers away everything is held up, and nothing begins when they are back`() throws {
    let pair = try Pair()
    try pair.bench.register("i1", on: pair.node)
    for redis in pair.redis { redis.pause() }
    try pair.bench.wait("they are away") { pair.node.relay.states == [.degraded, .degraded] }
    #expect(try pair.join("ann", on: 1).failure != nil)
    for redis in pair.redis { redis.resume() }
    try pair.bench.wait("all is well") { pair.node.state == .connected }
    pair.expectGenerations(1)
  }

  @Test func `A relay that was away from the start does not start again`() throws {
    let world = World(seed: 1)
    let bench = try RelayBench(world: world)
    let servers = try SimulatedServers(world: world, count: 2)
    for redis in servers.servers { redis.crash() }
    let node = servers.add(to: bench)
    try bench.wait("it is away") { node.state == .degraded }
    servers.servers[0].start(with: .nothing, isSameHistory: false)
    try bench.waitConnected()
    let states = node.events.compactMap { if case .state(let state) = $0 { state } else { nil } }
    #expect(!states.contains(.starting) && node.generations.count == 1, "\(states)")
  }
}
