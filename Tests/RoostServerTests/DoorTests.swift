import RoostServer
import RoostTesting
import Testing

/// How many are let in, and what the others are told.
@Suite("Door", .timeLimit(.minutes(20)))
struct DoorTests {
  private func handshake(_ node: Node, _ user: String = "u", from source: UInt8 = 1) throws -> TestClient.Answer {
    var client = try TestClient(port: node.port, source: source)
    try client.send(TestClient.upgradeRequest("/ws?token=\(token(user))"))
    return try #require(try client.answer())
  }

  private func isTooMany(_ answer: TestClient.Answer) {
    #expect(answer.status == 429 && answer.body == #"{"error":"too many requests"}"#)
    #expect((1...5).contains(answer.header("retry-after").flatMap { Int($0) } ?? 0))
    #expect(answer.header("connection") == "close")
  }

  /// Tokens come back while a slow machine asks, so it asks until there is none.
  private func firstRefusal(_ ask: () throws -> TestClient.Answer) throws -> TestClient.Answer {
    var answer = try ask()
    try eventually("a refusal") {
      if answer.status < 400 { answer = try ask() }
      return answer.status >= 400
    }
    return answer
  }

  // MARK: Addresses

  @Test func `one connection too many of an address waits, others do not`() async throws {
    try await withNode(configured { $0.limits.connectionsPerAddress = 1 }) { node in
      let first = try Visit(node, Array(TestClient.upgradeRequest("/ws?token=\(token("u"))").utf8))
      #expect(first.status == 101)
      isTooMany(try handshake(node))
      #expect(try handshake(node, from: 2).status == 101)
      #expect(first.isOpen)
    }
  }

  @Test func `connections that come too fast wait, others do not`() async throws {
    try await withNode(configured { $0.limits.connectsPerAddressPerSecond = 1 }) { node in
      for _ in 0..<4 { _ = try TestClient.chat(node, "u") }
      isTooMany(try firstRefusal { try handshake(node) })
      #expect(try handshake(node, from: 2).status == 101)
    }
  }

  @Test func `the silent connections of one address are bounded`() async throws {
    try await withNode(configured { $0.limits.connectionsPerAddress = 2 }) { node in
      let there = try (0..<18).map { _ in try Visit(node) }
      var dropped = try TestClient(port: node.port)
      #expect(try dropped.isAtEnd())
      #expect(there.allSatisfy { $0.isOpen })
      #expect(try handshake(node, from: 2).status == 101)
    }
  }

  @Test func `pages on a kept connection cost as much as connections`() async throws {
    try await withNode(configured { $0.limits.connectsPerAddressPerSecond = 1 }) { node in
      var answers = 0
      // What is not there costs the same.
      for (path, status, source) in [("/ws/stats", 200, 1), ("/nowhere", 404, 2)] as [(String, Int, UInt8)] {
        var client = try TestClient(port: node.port, source: source)
        var last: Int?
        try eventually("a refusal") {
          last = try client.page(path)?.status
          answers += last == status ? 1 : 0
          return last != status
        }
        #expect(last == 429)
        #expect(try client.isAtEnd())
      }
      #expect(answers >= 8)
      // A balancer's questions are answered all the same.
      var prober = try TestClient(port: node.port)
      for path in ["/healthz", "/readyz", "/healthz"] { #expect(try prober.page(path)?.status == 200) }
    }
  }

  // MARK: The node

  @Test func `a full node says so, and its balancer that it lives`() async throws {
    try await withNode(configured { $0.limits.connections = 1 }) { node in
      let first = try Visit(node, Array(TestClient.upgradeRequest("/ws?token=\(token("u"))").utf8))
      #expect(first.status == 101)
      let answer = try handshake(node)
      #expect(answer.status == 503 && answer.body == #"{"error":"node is full"}"#)
      #expect((1...5).contains(answer.header("retry-after").flatMap { Int($0) } ?? 0))
      var prober = try TestClient(port: node.port)
      #expect(try prober.page("/healthz")?.status == 200)
      #expect(first.isOpen)
    }
  }

  @Test func `handshakes of all clients together have a rate`() async throws {
    try await withNode(configured { $0.limits.connectsPerSecond = 2 }) { node in
      var (source, count): (UInt8, Int) = (0, 0)
      isTooMany(
        try firstRefusal {
          source = source % 250 + 1
          count += 1
          return try handshake(node, from: source)
        })
      #expect(count > 2)
      var client = try TestClient(port: node.port)
      #expect(try client.page("/ws/online")?.status == 200)
    }
  }

  @Test func `waits are spread`() async throws {
    try await withNode(configured { $0.limits.connectsPerAddressPerSecond = 1 }) { node in
      var waits: Set<String> = []
      try eventually("three kinds of them") {
        if let wait = try handshake(node).header("retry-after") { waits.insert(wait) }
        return waits.count > 2
      }
    }
  }

  @Test func `the slow make room for those who come`() async throws {
    try await withNode(configured { $0.limits.handshakes = 3 }) { node in
      let slow = try (1...3).map { try Visit(node, from: UInt8($0)) }
      // Each newcomer takes the place of the oldest; who is done takes none.
      for _ in 0..<5 { #expect(try handshake(node, from: 7).status == 101) }
      #expect(slow.map { $0.isServed() } == [false, true, true])
    }
  }

  // MARK: Users

  @Test func `one connection too many of a user waits`() async throws {
    try await withNode(configured { $0.limits.connectionsPerUser = 1 }) { node in
      let first = try Visit(node, Array(TestClient.upgradeRequest("/ws?token=\(token("u"))").utf8))
      #expect(first.status == 101)
      isTooMany(try handshake(node))
      #expect(try handshake(node, "v").status == 101)
      #expect(first.isOpen)
    }
  }
}

extension TestClient {
  /// Asks for a page; nil at the end of the stream.
  mutating func page(_ path: String) throws -> Answer? {
    try send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
    return try answer()
  }
}
