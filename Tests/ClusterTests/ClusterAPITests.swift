import EventLoops
import Foundation
import Glibc
import RoostTesting
import Testing
import Tokens

/// The API's calls that are about all nodes, at real ones.
@Suite("cluster API", .serialized, .timeLimit(.minutes(5)))
struct ClusterAPITests {
  /// An admin at one of the nodes.
  private final class Backend {
    private var client: TestClient
    private let token: String

    init(_ scenario: ClusterScenario, node: Int) throws {
      let end = wallClockMilliseconds() / 1_000 + 3_600
      token = try TokenMinter(secret: Array(ClusterUnderTest.secret.utf8)).mint(
        Claims(userID: "backend", role: "admin", expiresAt: end))
      client = try TestClient(port: scenario.cluster.nodes[node].port)
    }

    func call(_ path: String, _ body: String? = nil) throws -> (status: Int, json: [String: Any]) {
      var request = "\(body == nil ? "GET" : "POST") \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
      if let body { request += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
      try client.send(request + "\r\n" + (body ?? ""))
      let answer = try #require(try client.answer())
      let json = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
      return (answer.status, try #require(json as? [String: Any]))
    }

    /// Until the node knows of so many leases, as each heartbeat tells.
    func waitForNodes(_ count: Int) throws {
      for _ in 0..<10_000 {
        try client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        if try #require(try client.answer()).body.contains("\nroost_cluster_nodes \(count)\n") { return }
        usleep(1_000)
      }
      Issue.record("there are never \(count) nodes")
    }

    func good(_ path: String, _ body: String? = nil) throws -> [String: Any] {
      let (status, json) = try call(path, body)
      #expect(status == 200, "\(path): \(json)")
      return json
    }
  }

  /// Two nodes; anna on both, ben on the second, all in `lobby`.
  private static func scenario() async throws -> ClusterScenario {
    let scenario = try await ClusterScenario(nodes: 2, seed: 5)
    for (user, node) in [("anna", 0), ("anna", 1), ("ben", 1)] { await scenario.open(user, on: node) }
    try await scenario.clients.waitUntilOpen(seconds: 10)
    for client in 0..<3 { await scenario.join(client, "lobby") }
    await scenario.join(2, "away")
    try await scenario.clients.listen(for: "all are in", seconds: 10) { clients in
      clients.clients.allSatisfy { $0.rooms["lobby"] != nil } && clients.clients[2].rooms["away"] != nil
    }
    let everybody = ClusterUnderTest.Online(online: 3, users: 2, nodes: 2)
    try await scenario.cluster.waitForOnline(everybody, on: [0, 1], seconds: 10)
    return scenario
  }

  private static func isMessage(_ heard: ClusterClients.Heard, _ content: String) -> Bool {
    if case .message(.some, _, _, content, _) = heard { true } else { false }
  }

  @Test func `a message is published once, whichever node is asked`() async throws {
    let scenario = try await Self.scenario()
    let first = try Backend(scenario, node: 0)
    let second = try Backend(scenario, node: 1)
    let body = #"{"room":"lobby","payload":{"content":"news"},"id":"n-1","sender":{"id":"host"}}"#
    let stored = try first.good("/api/publish", body)
    let again = try second.good("/api/publish", body)
    #expect(stored["offset"] as? Int == 1 && again["offset"] as? Int == 1)
    #expect(stored["dup"] == nil && again["dup"] as? Bool == true)
    #expect(stored["epoch"] as? String == again["epoch"] as? String)
    // Nobody on the first node is in this room.
    let away = #"{"room":"away","payload":{"content":"news"}}"#
    #expect(try first.good("/api/publish", away)["offset"] as? Int == 1)
    try await scenario.clients.listen(for: "the news is everywhere", seconds: 10) { clients in
      clients.count(in: "lobby", of: 0..<3) { Self.isMessage($0, "news") } == 3
        && clients.count(in: "away", of: [2]) { Self.isMessage($0, "news") } == 1
    }
    await scenario.talk(0..<3)
    try await scenario.clients.listen(for: "the talk is everywhere", seconds: 10) { clients in
      ["lobby", "away"].allSatisfy { room in
        scenario.members[room, default: []].allSatisfy { client in
          let count = 1 + scenario.said[room, default: []].count
          return ClusterScenario.numbered(clients.heard(client, in: room)) == count
        }
      }
    }
    for client in 0..<3 {
      let news = scenario.clients.heard(client, in: "lobby").count { Self.isMessage($0, "news") }
      #expect(news == 1, "client \(client)")
    }
    for node in 0..<2 {
      let backend = try Backend(scenario, node: node)
      let past = try #require(try backend.good("/api/rooms/lobby/history")["messages"] as? [[String: Any]])
      #expect(past.first?["client_id"] as? String == "n-1")
      #expect(past.map { $0["offset"] as? Int } == Array(1...past.count))
    }
    await scenario.stop()
  }

  @Test func `all connections of all nodes are reached and counted`() async throws {
    let scenario = try await Self.scenario()
    for node in 0..<2 {
      let backend = try Backend(scenario, node: node)
      let calls: [(path: String, body: String, recipients: Int)] = [
        ("/api/broadcast", #"{"payload":{"text":"hi"}}"#, 3), ("/api/broadcast", #"{"title":"t","body":"b"}"#, 3),
        ("/api/users/anna/send", #"{"payload":{"text":"hi"}}"#, 2),
        ("/api/users/anna/notify", #"{"title":"t","body":"b"}"#, 2),
        ("/api/users/nobody/send", #"{"payload":1}"#, 0),
      ]
      for (path, body, recipients) in calls {
        let answer = try backend.good(path, body)
        #expect(answer["recipients"] as? Int == recipients && answer["partial"] == nil, "\(path)")
      }
    }
    try await scenario.clients.listen(for: "everything came", seconds: 10) { clients in
      clients.others["chat"] == 6 && clients.others["notification"] == 6 + 4 && clients.others["private"] == 4
    }
    await scenario.stop()
  }

  @Test func `any node knows who is where`() async throws {
    let scenario = try await Self.scenario()
    for node in 0..<2 {
      let backend = try Backend(scenario, node: node)
      let user = try backend.good("/api/users/anna")
      #expect(user["online"] as? Bool == true && user["connections"] as? Int == 2 && user["partial"] == nil)
      let places = try #require(user["nodes"] as? [[String: Any]])
      #expect(places.map { $0["connections"] as? Int } == [1, 1])
      #expect(try backend.good("/api/users/nobody")["online"] as? Bool == false)

      let room = try backend.good("/api/rooms/lobby")
      let members = try #require(room["members"] as? [[String: String]])
      #expect(room["count"] as? Int == 2 && Set(members.compactMap { $0["id"] }) == ["anna", "ben"])
      let rooms = try #require(try backend.good("/api/rooms")["rooms"] as? [[String: Any]])
      #expect(rooms.map { $0["room"] as? String } == ["away", "lobby"])
      #expect(rooms.map { $0["count"] as? Int } == [1, 2])

      let nodes = try #require(try backend.good("/api/nodes")["nodes"] as? [[String: Any]])
      #expect(nodes.map { $0["state"] as? String } == ["ready", "ready"])
      #expect(nodes.map { $0["connections"] as? Int } == [1, 2])
      #expect(nodes.compactMap { $0["node"] as? String } == places.compactMap { $0["node"] as? String })
      for (node, facts) in nodes.enumerated() {
        #expect(facts["address"] as? String == "127.0.0.1:\(scenario.cluster.nodes[node].port)")
        #expect(facts["lease_age_ms"] as? Int ?? .max < 6_000)
      }
    }
    await scenario.stop()
  }

  @Test func `a node that is silent is named, and answers are partial`() async throws {
    let scenario = try await Self.scenario()
    let backend = try Backend(scenario, node: 0)
    // Who has only just come is missed when its lease is known.
    try backend.waitForNodes(2)
    scenario.cluster.nodes[1].pause()
    let user = try backend.good("/api/users/anna")
    #expect(user["partial"] as? Bool == true && user["connections"] as? Int == 1)
    let answer = try backend.good("/api/nodes")
    let nodes = try #require(answer["nodes"] as? [[String: Any]])
    #expect(answer["partial"] as? Bool == true && nodes.map { $0["state"] as? String } == ["ready", "silent"])
    #expect(try backend.good("/api/broadcast", #"{"payload":1}"#)["partial"] as? Bool == true)
    scenario.cluster.nodes[1].signal(SIGCONT)
    await scenario.stop()
  }

  @Test func `without Redis a backend is told so, and when it is back the same call is good`() async throws {
    let scenario = try await Self.scenario()
    let backend = try Backend(scenario, node: 0)
    let body = #"{"room":"lobby","payload":{"content":"late"},"id":"l-1"}"#
    scenario.cluster.redis.kill()
    var status = 200
    try await ClusterUnderTest.eventually("nobody publishes without Redis", seconds: 20) {
      status = (try? backend.call("/api/publish", body))?.status ?? 0
      return status == 503
    }
    try await ClusterUnderTest.eventually("the node knows", seconds: 10) {
      (try? backend.call("/api/nodes"))?.status == 503
    }
    try scenario.cluster.redis.start()
    try await ClusterUnderTest.eventually("it is published", seconds: 20) {
      (try? backend.call("/api/publish", body))?.status == 200
    }
    try await scenario.clients.listen(for: "it came", seconds: 10) { clients in
      clients.count(in: "lobby", of: 0..<3) { Self.isMessage($0, "late") } == 3
    }
    await scenario.stop()
  }
}
