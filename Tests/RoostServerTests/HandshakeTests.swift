import EventLoops
import RoostServer
import RoostTesting
import Testing

/// What a handshake may take: time, early bytes, pieces.
@Suite("Handshake", .timeLimit(.minutes(20)))
struct HandshakeTests {
  @Test func `a request that does not come in time is told so`() async throws {
    try await withNode(configured { $0.times.handshake = 1 }) { node in
      var client = try TestClient(port: node.port)
      try client.send("GET /ws HTTP/1.1\r\nHost")
      #expect(try client.answer()?.status == 408)
      #expect(try client.isAtEnd())
    }
  }

  /// Bytes that keep coming change nothing: the time is the whole request's, also of a later one on the connection.
  @Test(arguments: [false, true])
  func `a request that comes a byte at a time runs out of time`(isSecond: Bool) async throws {
    try await withNode(configured { $0.times.handshake = 1 }) { node in
      var client = try TestClient(port: node.port, timeoutMilliseconds: 100)
      if isSecond { client = try .served(node, timeoutMilliseconds: 100) }
      var rest = Array(TestClient.upgradeRequest("/ws").utf8)[...]
      var answer: TestClient.Answer?
      while answer == nil, let byte = rest.popFirst() {
        try client.send([byte])
        do { answer = try client.answer() } catch TestClient.Failure.timeout { continue }
      }
      #expect(answer?.status == 408)
      #expect(answer?.header("connection") == "close")
      #expect(answer?.header("referrer-policy") == "no-referrer")
    }
  }

  @Test func `who connects and says nothing is told so too`() async throws {
    try await withNode(configured { $0.times.handshake = 1 }) { node in
      var client = try TestClient(port: node.port)
      #expect(try client.answer()?.status == 408)
      #expect(try client.isAtEnd())
    }
  }

  @Test func `what is sent right after the request is read as frames`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      let request = Array(try TestClient.upgradeRequest("/ws?token=\(token("u"))").utf8)
      try client.send(request + TestClient.frame(Array(#"{"type":"ping","id":"7"}"#.utf8)))
      #expect(try client.answer()?.status == 101)
      #expect(try client.text().contains(#""id":"7""#))
    }
  }

  @Test(arguments: [1, 3])
  func `a flood before the answer waits and is read in the end`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var client = try TestClient(port: node.port)
      let request = Array(try TestClient.upgradeRequest("/ws?token=\(token("u"))").utf8)
      // More than a shard receives at once, in messages that are too big to be answered in great numbers.
      let filler = TestClient.frame(
        Array((#"{"type":"ping","x":""# + String(repeating: "a", count: 3_900) + #""}"#).utf8))
      try client.send(request + (0..<100).flatMap { _ in filler } + TestClient.frame([0x03, 0xE8], opcode: 8))
      #expect(try client.answer()?.status == 101)
      var pongs = 0
      while let frame = try client.frame(), frame.opcode == 1 { pongs += frame.text.contains(#""pong""#) ? 1 : 0 }
      #expect(pongs == 100)
    }
  }

  @Test func `a request may come byte by byte`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      for byte in TestClient.upgradeRequest("/echo").utf8 { try client.send([byte]) }
      #expect(try client.answer()?.status == 101)
    }
  }
}

extension TestClient {
  /// A client whose first request was answered within the time that a request may take, and that may send another.
  static func served(_ node: Node, timeoutMilliseconds: Int = 60_000) throws -> TestClient {
    let deadline = monotonicMilliseconds() + 120_000
    while monotonicMilliseconds() < deadline {
      var client = try TestClient(port: node.port, timeoutMilliseconds: timeoutMilliseconds)
      try client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      do {
        if try client.answer()?.status == 200 { return client }
      } catch Failure.timeout { continue }
    }
    throw Late(what: "a request in time")
  }
}
