import EventLoops
import Foundation
import Glibc
import RoostTesting
import Testing
import Tokens

/// The API's calls that are about all nodes, at real ones.
@Suite("cluster API", .serialized, .timeLimit(.minutes(20)))
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
      try send(path, body)
      return try answer()
    }

    func send(_ path: String, _ body: String? = nil) throws {
      var request = "\(body == nil ? "GET" : "POST") \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
      if let body { request += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
      try client.send(request + "\r\n" + (body ?? ""))
    }

    func answer() throws -> (status: Int, json: [String: Any]) {
      let answer = try #require(try client.answer())
      let json = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
      return (answer.status, try #require(json as? [String: Any]))
    }

    /// Until the node knows of so many leases, as each heartbeat tells.
    func waitForNodes(_ count: Int) throws {
      let deadline = monotonicMilliseconds() + 120_000
      while monotonicMilliseconds() < deadline {
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
    try await scenario.clients.waitUntilOpen()
    for client in 0..<3 { await scenario.join(client, "lobby") }
    await scenario.join(2, "away")
    try await scenario.clients.listen(for: "all are in") { clients in
      clients.clients.allSatisfy { $0.rooms["lobby"] != nil } && clients.clients[2].rooms["away"] != nil
    }
    try await scenario.waitUntilKnown()
    let everybody = ClusterUnderTest.Online(online: 3, users: 2, nodes: 2)
    try await scenario.cluster.waitForOnline(everybody, on: [0, 1])
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
    try await scenario.clients.listen(for: "the news is everywhere") { clients in
      clients.count(in: "lobby", of: 0..<3) { Self.isMessage($0, "news") } == 3
        && clients.count(in: "away", of: [2]) { Self.isMessage($0, "news") } == 1
    }
    await scenario.talk(0..<3)
    try await scenario.clients.listen(for: "the talk is everywhere") { clients in
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
    var expected: [String: Int] = [:]
    for node in 0..<2 {
      let backend = try Backend(scenario, node: node)
      let calls: [(path: String, body: String, type: String, recipients: Int)] = [
        ("/api/broadcast", #"{"payload":{"text":"hi"}}"#, "chat", 3),
        ("/api/broadcast", #"{"title":"t","body":"b"}"#, "notification", 3),
        ("/api/users/anna/send", #"{"payload":{"text":"hi"}}"#, "private", 2),
        ("/api/users/anna/notify", #"{"title":"t","body":"b"}"#, "notification", 2),
        ("/api/users/nobody/send", #"{"payload":1}"#, "private", 0),
      ]
      for (path, body, type, recipients) in calls {
        // A busy node may take more than the half second in which it has to tell how many it reached.
        var answer: [String: Any] = ["partial": true]
        for _ in 0..<20 where answer["partial"] != nil {
          answer = try backend.good(path, body)
          expected[type, default: 0] += recipients
        }
        #expect(answer["recipients"] as? Int == recipients && answer["partial"] == nil, "\(path)")
      }
    }
    try await scenario.clients.listen(for: "everything came") { clients in
      expected.allSatisfy { clients.others[$0.key] == $0.value }
    }
    await scenario.stop()
  }

  @Test func `any node knows who is where`() async throws {
    let scenario = try await Self.scenario()
    for node in 0..<2 {
      let backend = try Backend(scenario, node: node)
      // A busy node may take more than the half second in which it has to answer the other.
      var wrong = [""]
      for _ in 0..<20 where !wrong.isEmpty { wrong = try Self.mistakes(of: backend, scenario) }
      #expect(wrong == [])
    }
    await scenario.stop()
  }

  /// What a node says that is not so.
  private static func mistakes(of backend: Backend, _ scenario: ClusterScenario) throws -> [String] {
    var wrong: [String] = []
    func check(_ isRight: Bool, _ json: Any) { if !isRight { wrong.append("\(json)") } }
    let user = try backend.good("/api/users/anna")
    check(user["online"] as? Bool == true && user["connections"] as? Int == 2 && user["partial"] == nil, user)
    let places = try #require(user["nodes"] as? [[String: Any]])
    check(places.map { $0["connections"] as? Int } == [1, 1], places)
    check(try backend.good("/api/users/nobody")["online"] as? Bool == false, "nobody is online")

    let room = try backend.good("/api/rooms/lobby")
    let members = try #require(room["members"] as? [[String: String]])
    check(room["count"] as? Int == 2 && Set(members.compactMap { $0["id"] }) == ["anna", "ben"], room)
    let rooms = try #require(try backend.good("/api/rooms")["rooms"] as? [[String: Any]])
    check(rooms.map { $0["room"] as? String } == ["away", "lobby"], rooms)
    check(rooms.map { $0["count"] as? Int } == [1, 2], rooms)

    let nodes = try #require(try backend.good("/api/nodes")["nodes"] as? [[String: Any]])
    check(nodes.map { $0["state"] as? String } == ["ready", "ready"], nodes)
    check(nodes.map { $0["connections"] as? Int } == [1, 2], nodes)
    check(nodes.compactMap { $0["node"] as? String } == places.compactMap { $0["node"] as? String }, nodes)
    for (facts, node) in zip(nodes, scenario.cluster.nodes) {
      check(facts["address"] as? String == "127.0.0.1:\(node.port)", facts)
      check((0..<600_000).contains(facts["lease_age_ms"] as? Int ?? -1), facts)
    }
    return wrong
  }

  @Test func `a node that is silent is named, and answers are partial`() async throws {
    let scenario = try await Self.scenario()
    let backends = try (0..<3).map { _ in try Backend(scenario, node: 0) }
    var names: [String?] = []
    // Silence that is longer than a lease makes it no node at all: whoever was late asks once more.
    for _ in 0..<10 where names.count != 2 {
      // Who has only just come is missed when its lease is known.
      try backends[0].waitForNodes(2)
      scenario.cluster.nodes[1].pause()
      try backends[0].send("/api/users/anna")
      try backends[1].send("/api/nodes")
      try backends[2].send("/api/broadcast", #"{"payload":1}"#)
      let (user, answer, chat) = (try backends[0].answer(), try backends[1].answer(), try backends[2].answer())
      scenario.cluster.nodes[1].signal(SIGCONT)
      let nodes = try #require(answer.json["nodes"] as? [[String: Any]])
      names = nodes.map { $0["state"] as? String }
      guard names.count == 2 else { continue }
      #expect(names == ["ready", "silent"])
      for told in [user, answer, chat] {
        #expect(told.status == 200)
        #expect(told.json["partial"] as? Bool == true)
      }
      #expect(user.json["connections"] as? Int == 1)
    }
    #expect(names.count == 2)
    await scenario.stop()
  }

  @Test func `without Redis a backend is told so, and when it is back the same call is good`() async throws {
    let scenario = try await Self.scenario()
    let backend = try Backend(scenario, node: 0)
    let body = #"{"room":"lobby","payload":{"content":"late"},"id":"l-1"}"#
    scenario.cluster.redis.kill()
    var status = 200
    try await ClusterUnderTest.eventually("nobody publishes without Redis", seconds: 60) {
      status = (try? backend.call("/api/publish", body))?.status ?? 0
      return status == 503
    }
    try await ClusterUnderTest.eventually("the node knows", seconds: 60) {
      (try? backend.call("/api/nodes"))?.status == 503
    }
    try scenario.cluster.redis.start()
    try await ClusterUnderTest.eventually("it is published", seconds: 60) {
      (try? backend.call("/api/publish", body))?.status == 200
    }
    try await scenario.clients.listen(for: "it came") { clients in
      clients.count(in: "lobby", of: 0..<3) { Self.isMessage($0, "late") } == 3
    }
    await scenario.stop()
  }
}
