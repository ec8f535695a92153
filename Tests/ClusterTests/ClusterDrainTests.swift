import EventLoops
import Glibc
import LoadGenerator
import RoostTesting
import Testing
import Tokens

/// Nodes that go, and their clients, who come back elsewhere.
@Suite("cluster drain", .serialized, .timeLimit(.minutes(5)))
struct ClusterDrainTests {
  @Test func `a drained node's users never seem to leave, and the counts are right at once`() async throws {
    // Twelve seconds to come back: everything else that runs on the machine may keep this test from it for a while.
    let scenario = try await ClusterScenario(nodes: 2, seed: 21, flags: ["--reconnect-spread", "10"])
    let (clients, cluster) = (scenario.clients, scenario.cluster)
    for index in 0..<20 { await scenario.open("user-\(index)", on: index % 2) }
    try await clients.waitUntilOpen(seconds: 30)
    try await scenario.fill(rooms: 2)
    try await cluster.waitForOnline(scenario.truth(), on: [0, 1], seconds: 5)
    let moving = clients.clients.indices.filter { clients.clients[$0].node == 0 }
    let staying = clients.clients.indices.filter { clients.clients[$0].node == 1 }
    let before = staying.map { Self.comings(clients, $0) }
    cluster.nodes[0].signal(SIGTERM)
    // Each comes back on the other node as soon as it is closed, and into its rooms.
    var back: [Int: Int] = [:]
    try await clients.listen(for: "all are closed", seconds: 20) { clients in
      moving.allSatisfy { clients.clients[$0].ending == .closed(code: 1_012) }
    }
    #expect(clients.others["server_draining"] == moving.count)
    for old in moving { back[old] = await scenario.open(clients.clients[old].user, on: 1) }
    try await clients.listen(for: "all are back", seconds: 5) { clients in
      back.values.allSatisfy { clients.clients[$0].isOpen }
    }
    for (old, new) in back { for room in clients.clients[old].rooms.keys.sorted() { await scenario.join(new, room) } }
    #expect(await cluster.nodes[0].ended() == 0)
    try await cluster.waitForOnline(.init(online: 20, users: 20, nodes: 1), on: [1], seconds: 2)
    // Longer than anybody's grace, and the reap of what the node left behind.
    await clients.listen(seconds: 16)
    #expect(staying.map { Self.comings(clients, $0) } == before)
    #expect(scenario.heardLeaving() == [])
    await scenario.stop()
  }

  /// What somebody heard of others' coming and going.
  private static func comings(_ clients: ClusterClients, _ client: Int) -> Int {
    clients.clients[client].rooms.values.reduce(0) { sum, heard in
      sum
        + heard.count {
          switch $0 {
          case .userJoined, .userLeft: true
          default: false
          }
        }
    }
  }

  @Test func `who does not come back leaves, once`() async throws {
    let scenario = try await ClusterScenario(nodes: 2, seed: 22)
    let (clients, cluster) = (scenario.clients, scenario.cluster)
    await scenario.open("ann", on: 1)
    await scenario.open("bob", on: 0)
    try await clients.waitUntilOpen(seconds: 30)
    await scenario.join(0, "r")
    try await clients.listen(for: "ann is there", seconds: 10) { !$0.heard(0, in: "r").isEmpty }
    await scenario.join(1, "r")
    try await clients.listen(for: "ann sees bob", seconds: 10) { clients in
      clients.heard(0, in: "r").contains(.userJoined("bob"))
    }
    cluster.nodes[0].signal(SIGTERM)
    #expect(await cluster.nodes[0].ended() == 0)
    try await clients.listen(for: "bob left", seconds: 12) { $0.heard(0, in: "r").contains(.userLeft("bob")) }
    await clients.listen(seconds: 3)
    #expect(clients.heard(0, in: "r").count { $0 == .userLeft("bob") } == 1)
    await scenario.stop()
  }

  @Test(arguments: [SIGTERM, SIGINT]) func `a second signal ends a node at once`(second: CInt) async throws {
    let flags = ["--drain-wait", "300", "--drain-deadline", "600"]
    let scenario = try await ClusterScenario(nodes: 1, seed: 23, flags: flags)
    await scenario.open("ann", on: 0)
    try await scenario.clients.waitUntilOpen(seconds: 30)
    let node = scenario.cluster.nodes[0]
    node.signal(SIGTERM)
    try await ClusterUnderTest.eventually("it is not ready", seconds: 10) { node.fetch("/readyz")?.status == 503 }
    #expect(node.exitCode == nil && node.fetch("/healthz")?.status == 200)
    node.signal(second)
    #expect(await node.ended() == 1)
    await scenario.stop()
  }

  @Test func `any node drains any node that the API names, and others see its state`() async throws {
    let flags = ["--drain-wait", "2"]
    let scenario = try await ClusterScenario(nodes: 2, seed: 24, flags: flags)
    let cluster = scenario.cluster
    await scenario.open("ann", on: 1)
    try await scenario.clients.waitUntilOpen(seconds: 30)
    try await cluster.waitForOnline(scenario.truth(), on: [0, 1], seconds: 5)
    // Nodes know each other from the first heartbeat on.
    try await ClusterUnderTest.eventually("node 0 passes it on", seconds: 10) {
      (try? Self.drain("node-1", at: cluster.nodes[0].port)) == 202
    }
    #expect(try Self.drain("node-7", at: cluster.nodes[0].port) == 404)
    try await ClusterUnderTest.eventually("the relay says so", seconds: 5) {
      (try? cluster.redis.ask("HVALS", "ws:p:info"))?.contains(" draining") == true
    }
    #expect(await cluster.nodes[1].ended() == 0)
    #expect(cluster.nodes[0].exitCode == nil)
    try await cluster.waitForOnline(.init(online: 0, users: 0, nodes: 1), on: [0], seconds: 2)
    await scenario.stop()
  }

  /// A supervisor that drains by the API and then sends SIGTERM does not mean to end the node at once.
  @Test func `one signal after the API's drain changes nothing, another one ends it`() async throws {
    let flags = ["--drain-wait", "300", "--drain-deadline", "600"]
    let scenario = try await ClusterScenario(nodes: 1, seed: 25, flags: flags)
    await scenario.open("ann", on: 0)
    try await scenario.clients.waitUntilOpen(seconds: 30)
    let node = scenario.cluster.nodes[0]
    #expect(try Self.drain("node-0", at: node.port) == 202)
    try await ClusterUnderTest.eventually("it is not ready", seconds: 10) { node.fetch("/readyz")?.status == 503 }
    node.signal(SIGTERM)
    await scenario.clients.listen(seconds: 1)
    #expect(node.exitCode == nil && scenario.clients.areAllOpen)
    node.signal(SIGTERM)
    #expect(await node.ended() == 1)
    await scenario.stop()
  }

  @Test func `a node that is added gets its share, and nobody is sent back`() async throws {
    let flags = ["--rebalance", "--rebalance-least", "5", "--rebalance-rate", "50", "--rebalance-threshold", "20"]
    let scenario = try await ClusterScenario(nodes: 2, seed: 26, flags: flags)
    let clients = scenario.clients
    for index in 0..<40 { await scenario.open("user-\(index)", on: 0) }
    try await clients.waitUntilOpen(seconds: 30)
    // Whoever is sent away goes to the other node, as a balancer would have it.
    var moved = 0
    try await clients.listen(for: "nearly half of them are sent away", seconds: 60) { clients in
      clients.clients.count { $0.ending == .closed(code: 1_012) } >= 15
    }
    await clients.listen(seconds: 3)
    moved = clients.clients.count { $0.ending == .closed(code: 1_012) }
    for index in 0..<moved { await scenario.open("user-\(index)", on: 1) }
    await clients.listen(seconds: 10)
    let (old, new) = (
      clients.clients.count { $0.node == 0 && $0.isOpen }, clients.clients.count { $0.node == 1 && $0.isOpen }
    )
    #expect(old >= 20 && new == moved && clients.clients.count { $0.node == 1 && !$0.isOpen } == 0, "\(old) and \(new)")
    await scenario.stop()
  }

  /// The status of the answer.
  private static func drain(_ node: String, at port: UInt16) throws -> Int? {
    let now = wallClockMilliseconds() / 1_000
    let minter = try TokenMinter(secret: Array(ClusterUnderTest.secret.utf8))
    let token = minter.mint(Claims(userID: "root", role: "admin", expiresAt: now + 600, issuedAt: now))
    var client = try TestClient(port: port)
    try client.send("POST /api/nodes/\(node)/drain HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n")
    return try client.answer()?.status
  }
}
