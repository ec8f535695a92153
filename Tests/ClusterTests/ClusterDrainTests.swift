import EventLoops
import Foundation
import Glibc
import LoadGenerator
import RoostTesting
import Testing
import Tokens

/// Nodes that go, and their clients, who come back elsewhere.
@Suite("cluster drain", .serialized, .timeLimit(.minutes(20)))
struct ClusterDrainTests {
  @Test func `a drained node's users never seem to leave, and the counts are right at once`() async throws {
    // So many seconds to come back. Everything else that runs on the machine may keep this test from it: then it is
    // made again, with more of them.
    for seconds in [10, 30, 60, 60] { if try await Self.drainsUnseen(spread: seconds) { return } }
    Issue.record("nobody came back in time")
  }

  /// False when the test itself did not bring all back in time.
  private static func drainsUnseen(spread: Int) async throws -> Bool {
    let scenario = try await ClusterScenario(nodes: 2, seed: 21, flags: ["--reconnect-spread", "\(spread)"])
    let (clients, cluster) = (scenario.clients, scenario.cluster)
    for index in 0..<20 { await scenario.open("user-\(index)", on: index % 2) }
    try await clients.waitUntilOpen()
    try await scenario.fill(rooms: 2)
    try await scenario.waitUntilKnown()
    try await cluster.waitForOnline(scenario.truth(), on: [0, 1])
    let moving = clients.clients.indices.filter { clients.clients[$0].node == 0 }
    let staying = clients.clients.indices.filter { clients.clients[$0].node == 1 }
    let before = staying.map { Self.comings(clients, $0) }
    cluster.nodes[0].signal(SIGTERM)
    // Each comes back on the other node as soon as it is closed, and into its rooms.
    var back: [Int: Int] = [:]
    try await clients.listen(for: "all are closed") { clients in
      moving.allSatisfy { clients.clients[$0].ending == .closed(code: 1_012) }
    }
    #expect(clients.others["server_draining"] == moving.count)
    for old in moving { back[old] = await scenario.open(clients.clients[old].user, on: 1) }
    try await clients.listen(for: "all are back") { clients in
      back.values.allSatisfy { clients.clients[$0].isOpen }
    }
    for (old, new) in back { for room in clients.clients[old].rooms.keys.sorted() { await scenario.join(new, room) } }
    try await clients.listen(for: "all are in their rooms") { clients in
      back.allSatisfy { old, new in clients.clients[old].rooms.keys.allSatisfy { !clients.heard(new, in: $0).isEmpty } }
    }
    let closedAt = moving.compactMap { clients.clients[$0].endedAt }.min() ?? 0
    guard monotonicMilliseconds() < closedAt + Int64(spread) * 1_000 else {
      await scenario.stop()
      return false
    }
    #expect(await cluster.nodes[0].ended() == 0)
    // It has no lease that others would have to wait for.
    #expect(try !cluster.redis.ask("HKEYS", "ws:p:info").contains("node-0"))
    try await cluster.waitForOnline(.init(online: 20, users: 20, nodes: 1), on: [1])
    // Longer than anybody's grace, and the reap of what the node left behind.
    await clients.listen(seconds: Double(spread) + 6)
    #expect(staying.map { Self.comings(clients, $0) } == before)
    #expect(scenario.heardLeaving() == [])
    await scenario.stop()
    return true
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
    try await clients.waitUntilOpen()
    await scenario.join(0, "r")
    try await clients.listen(for: "ann is there") { !$0.heard(0, in: "r").isEmpty }
    await scenario.join(1, "r")
    try await clients.listen(for: "ann sees bob") { clients in
      clients.heard(0, in: "r").contains(.userJoined("bob"))
    }
    cluster.nodes[0].signal(SIGTERM)
    #expect(await cluster.nodes[0].ended() == 0)
    try await clients.listen(for: "bob left") { $0.heard(0, in: "r").contains(.userLeft("bob")) }
    await clients.listen(seconds: 3)
    #expect(clients.heard(0, in: "r").count { $0 == .userLeft("bob") } == 1)
    await scenario.stop()
  }

  @Test(arguments: [SIGTERM, SIGINT]) func `a second signal ends a node at once`(second: CInt) async throws {
    let flags = ["--drain-wait", "300", "--drain-deadline", "600"]
    let scenario = try await ClusterScenario(nodes: 1, seed: 23, flags: flags)
    await scenario.open("ann", on: 0)
    try await scenario.clients.waitUntilOpen()
    let node = scenario.cluster.nodes[0]
    node.signal(SIGTERM)
    try await ClusterUnderTest.eventually("it is not ready", seconds: 60) { node.fetch("/readyz")?.status == 503 }
    #expect(node.exitCode == nil && node.fetch("/healthz", milliseconds: 60_000)?.status == 200)
    node.signal(second)
    #expect(await node.ended() == 1)
    await scenario.stop()
  }

  @Test func `any node drains any node that the API names, and others see its state`() async throws {
    // It waits for longer than the test takes, as long as somebody is there.
    let flags = ["--drain-wait", "300", "--drain-deadline", "600"]
    let scenario = try await ClusterScenario(nodes: 2, seed: 24, flags: flags)
    let cluster = scenario.cluster
    await scenario.open("ann", on: 1)
    try await scenario.clients.waitUntilOpen()
    try await cluster.waitForOnline(scenario.truth(), on: [0, 1])
    // Nodes know each other from the first heartbeat on.
    try await ClusterUnderTest.eventually("node 0 passes it on", seconds: 60) {
      (try? Self.drain("node-1", at: cluster.nodes[0].port)) == 202
    }
    #expect(try Self.drain("node-7", at: cluster.nodes[0].port) == 404)
    try await ClusterUnderTest.eventually("the relay says so", seconds: 60) {
      (try? cluster.redis.ask("HVALS", "ws:p:info"))?.contains(" draining") == true
    }
    await scenario.clients.swarm.close(0)
    #expect(await cluster.nodes[1].ended() == 0)
    #expect(cluster.nodes[0].exitCode == nil)
    try await cluster.waitForOnline(.init(online: 0, users: 0, nodes: 1), on: [0])
    await scenario.stop()
  }

  /// A supervisor that drains by the API and then sends SIGTERM does not mean to end the node at once.
  @Test func `one signal after the API's drain changes nothing, another one ends it`() async throws {
    let flags = ["--drain-wait", "300", "--drain-deadline", "600"]
    let scenario = try await ClusterScenario(nodes: 1, seed: 25, flags: flags)
    await scenario.open("ann", on: 0)
    try await scenario.clients.waitUntilOpen()
    let node = scenario.cluster.nodes[0]
    #expect(try Self.drain("node-0", at: node.port) == 202)
    try await ClusterUnderTest.eventually("it is not ready", seconds: 60) { node.fetch("/readyz")?.status == 503 }
    node.signal(SIGTERM)
    // Two that wait to be taken are one.
    try await ClusterUnderTest.eventually("the first is taken", seconds: 60) { !Self.isPending(SIGTERM, node) }
    await scenario.clients.listen(seconds: 1)
    #expect(node.exitCode == nil && scenario.clients.areAllOpen)
    node.signal(SIGTERM)
    #expect(await node.ended() == 1)
    await scenario.stop()
  }

  /// Whether a signal was sent to the node that none of its threads has taken yet.
  private static func isPending(_ signal: CInt, _ node: ClusterNode) -> Bool {
    let status = try? String(contentsOfFile: "/proc/\(node.processID)/status", encoding: .utf8)
    let mask = status?.firstMatch(of: /ShdPnd:\s+([0-9a-f]+)/).flatMap { UInt64($0.1, radix: 16) } ?? 0
    return mask >> UInt64(signal - 1) & 1 == 1
  }

  @Test func `a node that is added gets its share, and nobody is sent back`() async throws {
    for _ in 0..<4 { if try await Self.sharesOut() { return } }
    Issue.record("nobody came back in time")
  }

  /// False when the test itself did not bring those who were sent away to the other node while they were counted as on
  /// their way, which they are for a minute: without them, others would be too many.
  private static func sharesOut() async throws -> Bool {
    let flags = ["--rebalance", "--rebalance-least", "5", "--rebalance-rate", "50", "--rebalance-threshold", "20"]
    let scenario = try await ClusterScenario(nodes: 2, seed: 26, flags: flags)
    let clients = scenario.clients
    for index in 0..<40 { await scenario.open("user-\(index)", on: 0) }
    try await clients.waitUntilOpen()
    // Whoever is sent away goes to the other node, as a balancer would have it.
    var moved = 0
    try await clients.listen(for: "nearly half of them are sent away") { clients in
      clients.clients.count { $0.ending == .closed(code: 1_012) } >= 15
    }
    await clients.listen(seconds: 3)
    moved = clients.clients.count { $0.ending == .closed(code: 1_012) }
    for index in 0..<moved { await scenario.open("user-\(index)", on: 1) }
    try await clients.listen(for: "they are there") { $0.clients.count { $0.node == 1 && $0.isOpen } == moved }
    guard monotonicMilliseconds() < (clients.clients.compactMap(\.endedAt).min() ?? 0) + 40_000 else {
      await scenario.stop()
      return false
    }
    await clients.listen(seconds: 10)
    let (old, new) = (
      clients.clients.count { $0.node == 0 && $0.isOpen }, clients.clients.count { $0.node == 1 && $0.isOpen }
    )
    #expect(old >= 20 && new == moved && clients.clients.count { $0.node == 1 && !$0.isOpen } == 0, "\(old) and \(new)")
    await scenario.stop()
    return true
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
