import RoostServer
import RoostTesting
import Testing

/// Whose pages may open a WebSocket.
@Suite("Origins", .timeLimit(.minutes(20)))
struct OriginTests {
  /// The status that a handshake with these header lines gets.
  static func status(_ node: Node, _ origins: [String], host: String) throws -> Int {
    var client = try TestClient(port: node.port)
    let lines = origins.map { "Origin: \($0)\r\n" }.joined()
    let request = TestClient.upgradeRequest("/ws?token=\(try token("u"))", lines)
    try client.send(request.replacing("Host: localhost", with: "Host: \(host)"))
    let answer = try #require(try client.answer())
    if answer.status != 101 { #expect(answer.body == #"{"error":"origin not allowed"}"#) }
    return answer.status
  }

  static func expect(_ wanted: Int, _ node: Node, _ origins: [String], host: String) throws {
    let status = try status(node, origins, host: host)
    #expect(status == wanted, "\(origins)")
  }

  @Test(arguments: [
    (["http://chat.example"], "chat.example"), (["https://chat.example"], "chat.example"),
    (["https://chat.example"], "CHAT.example"), (["http://chat.example:8080"], "chat.example:8080"),
    (["http://[::1]:8080"], "[::1]:8080"), (["http://127.0.0.1"], "127.0.0.1"), ([], "chat.example"),
    // The scheme's own port may be written on either side.
    (["https://chat.example"], "chat.example:443"), (["http://chat.example"], "chat.example:80"),
    (["https://chat.example:443"], "chat.example"), (["http://[::1]"], "[::1]:80"),
    (["http://chat.example."], "chat.example."),
  ])
  func `the node's own pages and programs are let in`(origins: [String], host: String) async throws {
    try await withNode { node in
      try Self.expect(101, node, origins, host: host)
    }
  }

  static let foreign = [
    "null", "", "http://evil.example", "http://chat.example.evil.example", "http://evilchat.example",
    "http://chat.exampl",
    "http://chat.example@evil.example", "http://chat.example:pw@evil.example", "http://user@chat.example",
    "http://chat.example:8080", "http://chat.example:443", "https://chat.example:80", "HTTP://chat.example",
    "http://CHAT.example", "http://chat.example.", "http://chat.example/", "http://chat.example/path", "chat.example",
    "//chat.example", "ws://chat.example", "wss://chat.example", "ftp://chat.example", "file://", "*", "http://",
    "http://*.example", "http://chat.example http://chat.example", "http://chat.example, http://chat.example",
    "http://sub.chat.example", "http://chat.example#", "http://chat.example?", "http://chat.ex%61mple",
  ]

  @Test(arguments: foreign)
  func `others are not`(origin: String) async throws {
    try await withNode { node in
      try Self.expect(403, node, [origin], host: "chat.example")
    }
  }

  @Test(arguments: foreign)
  func `nor where origins are listed`(origin: String) async throws {
    let listed = configured { $0.origins = .listed(["http://chat.example", "https://other.example:8443"]) }
    try await withNode(listed) { node in
      try Self.expect(403, node, [origin], host: "chat.example")
    }
  }

  @Test func `a list lets in what it names, and not the node's own pages`() async throws {
    let listed = configured { $0.origins = .listed(["http://chat.example", "https://other.example:8443"]) }
    try await withNode(listed) { node in
      for origin in ["http://chat.example", "https://other.example:8443"] {
        try Self.expect(101, node, [origin], host: "node.example")
      }
      for origin in [
        "https://chat.example", "https://other.example", "http://node.example", "http://other.example:8443",
      ] {
        try Self.expect(403, node, [origin], host: "node.example")
      }
      try Self.expect(101, node, [], host: "node.example")
    }
  }

  @Test func `several origins are none, whoever is let in`() async throws {
    for origins in [ServerConfiguration.Origins.sameOrigin, .listed(["http://chat.example"]), .any] {
      try await withNode(configured { $0.origins = origins }) { node in
        let twice = ["http://chat.example", "http://chat.example"]
        try Self.expect(403, node, twice, host: "chat.example")
        try Self.expect(403, node, ["http://chat.example", "http://evil.example"], host: "chat.example")
      }
    }
  }

  @Test func `a star lets in everybody`() async throws {
    try await withNode(configured { $0.origins = .any }) { node in
      for origin in ["http://evil.example", "null"] {
        try Self.expect(101, node, [origin], host: "chat.example")
      }
    }
  }
}
