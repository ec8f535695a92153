import RoostServer
import RoostTesting
import Testing

/// Every row of SPEC section 1.
@Suite("Handshake", .timeLimit(.minutes(5)))
struct HandshakeTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    /// Turns a good request into the row's.
    var change: @Sendable (String) throws -> String
    var status: Int
    var header: (name: String, value: String)?
    var body: String?
    var testDescription: String { name }

    init(
      _ name: String, _ status: Int, header: (String, String)? = nil, body: String? = nil,
      _ change: @escaping @Sendable (String) throws -> String
    ) {
      (self.name, self.status, self.body, self.change) = (name, status, body, change)
      self.header = header.map { ($0.0, $0.1) }
    }
  }

  static func without(_ line: String) -> @Sendable (String) -> String {
    { request in
      let lines = request.split(separator: "\r\n", omittingEmptySubsequences: false)
      return lines.filter { !$0.hasPrefix(line) }.joined(separator: "\r\n")
    }
  }

  static func replacing(_ old: String, _ new: String) -> @Sendable (String) -> String {
    { request in
      var lines = request.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
      for index in lines.indices where lines[index].hasPrefix(old) { lines[index] = new }
      return lines.joined(separator: "\r\n")
    }
  }

  static func adding(_ line: String) -> @Sendable (String) -> String { { $0.dropLast(1) + line + "\r\n\r\n" } }

  /// One text for all reasons, so that nobody learns which it was.
  static let unauthorized = #"{"error":"authentication required"}"#

  static let rows: [Row] = [
    Row("a good request", 101, header: ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) { $0 },
    Row("no upgrade", 426, header: ("upgrade", "websocket"), without("Upgrade")),
    Row("no connection option", 426, header: ("upgrade", "websocket"), without("Connection")),
    Row(
      "another version", 426, header: ("sec-websocket-version", "13"),
      replacing("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8")),
    Row("no version", 426, header: ("sec-websocket-version", "13"), without("Sec-WebSocket-Version")),
    Row("another method", 405, header: ("allow", "GET")) { "POST" + $0.dropFirst(3) },
    Row("HTTP/1.0", 400) { replacing("GET", String($0.split(separator: "\r\n")[0].dropLast(3)) + "1.0")($0) },
    Row("no host", 400, without("Host")),
    Row("two hosts", 400, adding("Host: elsewhere")),
    Row("no key", 400, without("Sec-WebSocket-Key")),
    Row("a key of 15 bytes", 400, replacing("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ===")),
    Row("two keys", 400, adding("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
    Row("a body", 400, adding("Content-Length: 5")),
    Row("a space before the colon", 400, adding("X-A : b")),
    Row("a folded header", 400, adding("X-A: b\r\n c")),
    Row("a NUL", 400, adding("X-A: \0")),
    Row("a bare line feed", 400, adding("X-A: b\nX-B: c")),
    Row("a header block over 8 KiB", 431, adding("X-A: " + String(repeating: "a", count: 9_000))),
    Row("65 headers", 431, adding((0..<65).map { "X-\($0): a" }.joined(separator: "\r\n"))),
    Row("a long target", 414) { replacing("GET", "GET /ws?a=\(String(repeating: "a", count: 7_000)) HTTP/1.1")($0) },
    Row("a foreign origin", 403, body: #"{"error":"origin not allowed"}"#, adding("Origin: http://evil.example")),
    Row("the null origin", 403, adding("Origin: null")),
    Row("an origin that only starts alike", 403, adding("Origin: http://localhost.evil.example")),
    Row("the own origin", 101, adding("Origin: http://localhost")),
    Row(
      "no token", 401, header: ("www-authenticate", #"Bearer error="invalid_token""#), body: unauthorized,
      replacing("GET", "GET /ws HTTP/1.1")),
    Row("a bad token", 401, body: unauthorized, replacing("GET", "GET /ws?token=a.b.c HTTP/1.1")),
    Row("an expired token", 401, body: unauthorized) {
      replacing("GET", "GET /ws?token=\(try token("u", seconds: -1)) HTTP/1.1")($0)
    },
    Row("two tokens that differ", 400) { adding("Authorization: Bearer \(try token("other"))")($0) },
    Row("the token twice", 101) { request in
      let token = request.split(separator: " ")[1].dropFirst("/ws?token=".count)
      return adding("Authorization: bearer \(token)")(request)
    },
    Row("the token in Authorization", 101) {
      adding("Authorization: Bearer \(try token("u"))")(replacing("GET", "GET /ws HTTP/1.1")($0))
    },
    Row("the token among subprotocols", 101, header: ("sec-websocket-protocol", "roost.v1")) {
      adding("Sec-WebSocket-Protocol: roost.v1, bearer.\(try token("u"))")(replacing("GET", "GET /ws HTTP/1.1")($0))
    },
    Row("an unknown path", 404, replacing("GET", "GET /nowhere HTTP/1.1")),
  ]

  @Test("answers as the table says", arguments: rows)
  func table(row: Row) async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      try client.send(row.change(TestClient.upgradeRequest("/ws?token=\(token("u"))")))
      let answer = try #require(try client.answer())
      #expect(answer.status == row.status)
      if let header = row.header { #expect(answer.header(header.name) == header.value) }
      if let body = row.body { #expect(answer.body == body) }
      if ![101, 404].contains(row.status) { #expect(try client.isAtEnd()) }
    }
  }

  @Test func `the older subprotocol form is answered with itself`() async throws {
    try await withNode { node in
      let token = try token("u")
      var client = try TestClient(port: node.port)
      try client.send(TestClient.upgradeRequest("/ws", "Sec-WebSocket-Protocol: \(token)\r\n"))
      #expect(try client.answer()?.header("sec-websocket-protocol") == token)
    }
  }

  @Test func `a request that does not come in time is told so`() async throws {
    try await withNode(configured { $0.times.handshake = 1 }) { node in
      var client = try TestClient(port: node.port)
      try client.send("GET /ws HTTP/1.1\r\nHost")
      #expect(try client.answer()?.status == 408)
      #expect(try client.isAtEnd())
    }
  }

  @Test func `one connection too many of an address waits`() async throws {
    try await withNode(configured { $0.limits.connectionsPerAddress = 1 }) { node in
      let first = try TestClient.chat(node, "u")
      var second = try TestClient(port: node.port)
      try second.send(TestClient.upgradeRequest("/ws?token=\(token("u"))"))
      let answer = try #require(try second.answer())
      #expect(answer.status == 429)
      #expect(answer.header("retry-after") != nil)
      _ = consume first
    }
  }

  @Test func `connections that come too fast wait`() async throws {
    try await withNode(configured { $0.limits.connectsPerAddressPerSecond = 1 }) { node in
      for _ in 0..<4 { _ = try TestClient.chat(node, "u") }
      var last = try TestClient(port: node.port)
      try last.send(TestClient.upgradeRequest("/ws?token=\(token("u"))"))
      #expect(try last.answer()?.status == 429)
    }
  }

  @Test func `a full node says so`() async throws {
    try await withNode(configured { $0.limits.connections = 1 }) { node in
      let first = try TestClient.chat(node, "u")
      var second = try TestClient(port: node.port)
      try second.send(TestClient.upgradeRequest("/ws?token=\(token("u"))"))
      let answer = try #require(try second.answer())
      #expect(answer.status == 503)
      #expect(answer.header("retry-after") != nil)
      _ = consume first
    }
  }

  @Test func `one connection too many of a user waits`() async throws {
    try await withNode(configured { $0.limits.connectionsPerUser = 1 }) { node in
      let first = try TestClient.chat(node, "u")
      var second = try TestClient(port: node.port)
      try second.send(TestClient.upgradeRequest("/ws?token=\(token("u"))"))
      #expect(try second.answer()?.status == 429)
      _ = consume first
    }
  }

  @Test func `a draining node sends its clients away and takes no new ones`() async throws {
    try await withNode { node in
      var client = try TestClient.chat(node, "u")
      node.drain(overMilliseconds: 100)
      #expect(try client.frame()?.closeCode == 1012)
      var late = try TestClient(port: node.port)
      try late.send(TestClient.upgradeRequest("/ws?token=\(token("u"))"))
      #expect(try late.answer()?.status == 503)
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
