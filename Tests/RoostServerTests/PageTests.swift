import RoostServer
import RoostTesting
import Testing

@Suite("Pages", .timeLimit(.minutes(20)))
struct PageTests {
  private func get(_ target: String, from client: inout TestClient, method: String = "GET") throws -> TestClient.Answer
  {
    try client.send("\(method) \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
    return try #require(try client.answer(toHead: method == "HEAD"))
  }

  @Test func `one connection serves many requests`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      let pages = [
        ("/", 200), ("/healthz", 200), ("/readyz", 200), ("/ws/online", 200),
        ("/ws/stats", 200), ("/metrics", 200),
        ("/nowhere", 404),
      ]
      for (target, status) in pages { #expect(try get(target, from: &client).status == status, "\(target)") }
      #expect(try get("/healthz", from: &client, method: "HEAD").status == 200)
      #expect(try get("/healthz", from: &client, method: "DELETE").header("allow") == "GET, HEAD")
    }
  }

  @Test func `what a node turns away and what it ends is counted by reason`() async throws {
    try await withNode { node in
      var stranger = try TestClient(port: node.port)
      try stranger.send(TestClient.upgradeRequest("/ws?token=\(token("u"))", "Origin: http://evil.example\r\n"))
      #expect(try stranger.answer()?.status == 403)
      var talker = try TestClient.chat(node, "u")
      try talker.send([0x81, 0x00])  // not masked
      #expect(try talker.skip { $0.opcode == 8 } != nil)
      var client = try TestClient(port: node.port)
      // Both were counted before they were answered.
      let page = try get("/metrics", from: &client).body
      #expect(page.contains(#"roost_handshakes_refused_total{reason="origin"} 1"#))
      #expect(page.contains(#"roost_handshakes_refused_total{reason="token"} 0"#))
      #expect(page.contains(#"roost_closes_total{code="1002",reason="protocol_error"} 1"#))
    }
  }

  @Test(arguments: [1, 3])
  func `a node with nothing to do takes no turns`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var client = try TestClient(port: node.port)
      func turns() throws -> Int {
        let page = try get("/metrics", from: &client).body
        return page.split(separator: "\n").filter { $0.hasPrefix("roost_turns_total{") }
          .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
      }
      let before = try turns()
      for _ in 0..<50 { #expect(try get("/healthz", from: &client).status == 200) }
      // Each request is a turn or two; a loop that does not sleep takes thousands meanwhile.
      #expect(try turns() - before < 1_000)
    }
  }

  @Test func `pipelined requests are answered in order`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      for target in ["/ws/online", "/healthz", "/ws/online", "/nowhere"] {
        try client.send("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
      }
      for status in [200, 200, 200, 404] { #expect(try client.answer()?.status == status) }
    }
  }

  @Test func `a flood of requests in one piece is cut off`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      let request = Array("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
      try client.send((0..<1_000).flatMap { _ in request })
      var answers = 0
      while let answer = try client.answer() {
        answers += 1
        #expect(answer.status == 200)
      }
      #expect((32..<1_000).contains(answers))
    }
  }

  @Test(arguments: [1, 3])
  func `the online numbers count connections and users`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      let phone = try TestClient.chat(node, "anna")
      let laptop = try TestClient.chat(node, "anna")
      let ben = try TestClient.chat(node, "ben")
      var client = try TestClient(port: node.port)
      var body = ""
      try eventually("all three are counted") {
        body = try get("/ws/online?verbose", from: &client).body
        return body.contains(#""online":3,"users":2,"nodes":1"#)
      }
      #expect(body.contains(#""scope":"#))
      for client in [phone.isOpen, laptop.isOpen, ben.isOpen] { #expect(client) }
    }
  }

  @Test func `stats count what happened`() async throws {
    try await withNode { node in
      var echo = try TestClient(port: node.port)
      try echo.upgrade("/echo")
      try echo.sendFrame("one")
      _ = try echo.text()
      var client = try TestClient(port: node.port)
      let body = try get("/ws/stats", from: &client).body
      for part in [
        #""active_connections":1"#, #""total_connections":1"#, #""messages_received":1"#, #""messages_sent":1"#,
        #""errors":0"#, #""uptime":"0h"#, #""uptime_seconds":"#,
      ] { #expect(body.contains(part), "\(part) in \(body)") }
    }
  }
}
