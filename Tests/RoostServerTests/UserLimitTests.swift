import RoostServer
import RoostTesting
import Telemetry
import Testing

/// How many connections one user may have, over two nodes of one Redis.
@Suite("User limit", .serialized, .timeLimit(.minutes(20)))
struct UserLimitTests {
  private func visit(_ node: Node) throws -> Visit {
    try Visit(node, Array(TestClient.upgradeRequest("/ws?token=\(try token("ann"))").utf8))
  }

  /// Asks the node for its numbers until they are these.
  private func wait(for numbers: String, _ node: Node) throws {
    var client = try TestClient(port: node.port)
    try eventually(numbers) { try client.page("/ws/online")?.body == numbers }
  }

  /// Knocks until the answer is this one: nodes hear of each other's users within moments, not at once.
  private func knock(_ node: Node, until status: Int) throws -> Visit {
    var visit = try visit(node)
    try eventually("\(status)") {
      if visit.status != status { visit = try self.visit(node) }
      return visit.status == status
    }
    return visit
  }

  @Test(arguments: [1, 3])
  func `holds over all nodes, and on each of them while Redis is away`(shards: Int) async throws {
    let redis = try RedisServer()
    let configuration = configured {
      $0.shards = shards
      $0.redisURL = redis.url
      $0.limits.connectionsPerUser = 2
    }
    let first = try Node(configuration, log: Log(level: .error))
    first.start()
    try await withNode(configuration) { second in
      try wait(for: #"{"online":0,"users":0,"nodes":2}"#, second)
      var here: [Visit] = []
      for _ in 0..<2 { here.append(try visit(first)) }
      #expect(here.map(\.status) == [101, 101])
      #expect(try visit(first).status == 429)
      #expect(try knock(second, until: 429).status == 429)
      // One less here, one more there.
      here.removeLast()
      let there = try knock(second, until: 101)
      #expect(try knock(second, until: 429).status == 429)
      redis.kill()
      try eventually("only the node's own count") { try visit(second).status == 101 }
      #expect(there.isOpen && here.allSatisfy(\.isOpen))
    }
    await first.stop()
  }
}
