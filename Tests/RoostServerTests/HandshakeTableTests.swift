import RoostServer
import RoostTesting
import Testing

/// The table of SPEC section 1 and of the security checklist, section 1, row by row: status, headers, body, and whether
/// the connection closes. Origins, limits and time have suites of their own.
@Suite("Handshake table", .timeLimit(.minutes(20)))
struct HandshakeTableTests {
  typealias Row = HandshakeRow
  static let bad = "bad request"
  static let required = "websocket upgrade required"
  /// One text for all reasons, so that nobody learns which it was.
  static let unauthorized = "authentication required"
  static let challenge = [("www-authenticate", #"Bearer error="invalid_token""#)]
  static let upgrade = [("upgrade", "websocket"), ("sec-websocket-version", "13"), ("connection", "upgrade, close")]

  static let protocolRows: [Row] = [
    Row("a good request", 101, headers: [("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")]) { $0 },
    Row("words of headers in any case", 101) {
      $0.replacing("Upgrade: websocket", with: "UPGRADE: WebSocket")
        .replacing("Connection: Upgrade", with: "connection: keep-alive, uPGRADE")
    },
    Row("no upgrade", 426, required, headers: upgrade, Row.without("Upgrade")),
    Row("no connection option", 426, required, headers: upgrade, Row.without("Connection")),
    Row("another upgrade", 426, required, headers: upgrade, Row.replacing("Upgrade", "Upgrade: h2c")),
    Row("version 8", 426, required, headers: upgrade, Row.replacing("Sec-WebSocket-V", "Sec-WebSocket-Version: 8")),
    Row("version 013", 426, required, headers: upgrade, Row.replacing("Sec-WebSocket-V", "Sec-WebSocket-Version: 013")),
    Row(
      "two versions in one line", 426, required, headers: upgrade,
      Row.replacing("Sec-WebSocket-V", "Sec-WebSocket-Version: 13, 8")),
    Row("no version", 426, required, headers: upgrade, Row.without("Sec-WebSocket-Version")),
    Row("two versions", 400, bad, Row.adding("Sec-WebSocket-Version: 13")),
    Row("POST", 405, "method not allowed", headers: [("allow", "GET")]) { "POST" + $0.dropFirst(3) },
    Row("PUT", 405, "method not allowed", headers: [("allow", "GET")]) { "PUT" + $0.dropFirst(3) },
    Row("get in lower case", 405, "method not allowed", headers: [("allow", "GET")]) { "get" + $0.dropFirst(3) },
    Row("POST with a body", 405, "method not allowed", headers: [("allow", "GET")]) {
      try Row.adding("Content-Length: 2")("POST" + $0.dropFirst(3)) + "{}"
    },
    Row("no key", 400, bad, Row.without("Sec-WebSocket-Key")),
    Row("a key of 15 bytes", 400, bad, Row.replacing("Sec-WebSocket-K", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j")),
    Row("a key of 17 bytes", 400, bad, Row.replacing("Sec-WebSocket-K", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=")),
    Row(
      "a key that is no base64", 400, bad,
      Row.replacing("Sec-WebSocket-K", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==")),
    Row("two keys", 400, bad, Row.adding("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
  ]

  static let requestRows: [Row] = [
    Row("HTTP/1.0", 400, bad) { $0.replacing("HTTP/1.1", with: "HTTP/1.0") },
    Row("no host", 400, bad, Row.without("Host")),
    Row("two hosts", 400, bad, Row.adding("Host: elsewhere")),
    Row("a body by its length", 400, bad, Row.adding("Content-Length: 5")),
    Row("a body in chunks", 400, bad, Row.adding("Transfer-Encoding: chunked")),
    Row("a body by its length and in chunks", 400, bad, Row.adding("Content-Length: 5\r\nTransfer-Encoding: chunked")),
    Row("the preface of HTTP/2", 505, "http version not supported") { _ in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
    Row("two lengths", 400, bad, Row.adding("Content-Length: 0\r\nContent-Length: 0")),
    Row("a space before the colon", 400, bad, Row.adding("X-A : b")),
    Row("a folded header", 400, bad, Row.adding("X-A: b\r\n c")),
    Row("a NUL", 400, bad, Row.adding("X-A: \0")),
    Row("a bare carriage return", 400, bad, Row.adding("X-A: b\rX-B: c")),
    Row("a bare line feed", 400, bad, Row.adding("X-A: b\nX-B: c")),
    Row("a whole URL", 400, bad, Row.asking("GET http://localhost/ws HTTP/1.1")),
    Row("a PROXY header of nobody's", 400, bad) { "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + $0 },
    Row("a binary PROXY header of nobody's", 400, bad) { "\r\n\r\n\0\r\nQUIT\n\u{21}\u{11}" + $0 },
    Row(
      "a header block over 8 KiB", 431, "request header fields too large",
      Row.adding("X-A: " + String(repeating: "a", count: 9_000))),
    Row(
      "65 headers", 431, "request header fields too large",
      Row.adding((0..<65).map { "X-\($0): a" }.joined(separator: "\r\n"))),
    Row("a long target", 414, "uri too long", Row.asking("GET /ws?a=\(String(repeating: "a", count: 7_000)) HTTP/1.1")),
    Row("a target without end", 414, "uri too long", Row.asking("GET /ws?a=\(String(repeating: "a", count: 100_000))")),
    Row("a query that cannot be read", 400, bad, Row.asking("GET /ws?token=%zz HTTP/1.1")),
  ]

  static let tokenRows: [Row] = [
    Row("no token", 401, unauthorized, headers: challenge, Row.tokenless()),
    Row("an empty token", 401, unauthorized, headers: challenge, Row.asking("GET /ws?token= HTTP/1.1")),
    Row("a bad token", 401, unauthorized, headers: challenge, Row.asking("GET /ws?token=a.b.c HTTP/1.1")),
    Row(
      "a token of 5 KiB", 401, unauthorized, headers: challenge,
      Row.asking("GET /ws?token=\(String(repeating: "a", count: 5_000)) HTTP/1.1")),
    Row("an expired token", 401, unauthorized, headers: challenge) {
      try Row.asking("GET /ws?token=\(token("u", seconds: -1)) HTTP/1.1")($0)
    },
    Row(
      "a token of another scheme", 401, unauthorized, headers: challenge,
      Row.tokenless { try Row.adding("Authorization: Basic \(token("u"))")($0) }),
    Row(
      "a token in a cookie", 401, unauthorized, headers: challenge,
      Row.tokenless { try Row.adding("Cookie: token=\(token("u")); access_token=\(token("u"))")($0) }),
    Row("two tokens that differ", 400, "tokens differ") {
      try Row.adding("Authorization: Bearer \(token("other"))")($0)
    },
    Row("two tokens that differ, one in the query and one among subprotocols", 400, "tokens differ") {
      try Row.adding("Sec-WebSocket-Protocol: roost.v1, bearer.\(token("other"))")($0)
    },
    Row(
      "two tokens that differ, one among subprotocols and one in Authorization", 400, "tokens differ",
      Row.tokenless {
        try Row.adding(
          "Sec-WebSocket-Protocol: roost.v1, bearer.\(token("u"))\r\nAuthorization: Bearer \(token("other"))")($0)
      }),
    Row(
      "two tokens among subprotocols", 400, "tokens differ",
      Row.tokenless {
        try Row.adding("Sec-WebSocket-Protocol: roost.v1, bearer.\(token("u")), bearer.\(token("other"))")($0)
      }),
    Row(
      "two tokens among subprotocols, in two lines", 400, "tokens differ",
      Row.tokenless {
        try Row.adding(
          "Sec-WebSocket-Protocol: bearer.\(token("u")), roost.v1\r\nSec-WebSocket-Protocol: bearer.x.y.z")($0)
      }),
    Row("two tokens in the query", 400, bad) { $0.replacing(" HTTP/1.1", with: "&token=x HTTP/1.1") },
    Row(
      "two lines of authorization", 400, bad,
      Row.tokenless { try Row.adding("Authorization: Bearer \(token("u"))\r\nAuthorization: Bearer x")($0) }),
    Row("the token twice", 101) { request in
      let token = request.split(separator: " ")[1].dropFirst("/ws?token=".count)
      return try Row.adding("Authorization: bearer \(token)")(request)
    },
    Row("the token in Authorization", 101, Row.tokenless { try Row.adding("Authorization: BEARER \(token("u"))")($0) }),
    Row(
      "the token among subprotocols", 101, headers: [("sec-websocket-protocol", "roost.v1")],
      Row.tokenless { try Row.adding("Sec-WebSocket-Protocol: roost.v1, bearer.\(token("u"))")($0) }),
    Row("an empty subprotocol", 400, bad, Row.adding("Sec-WebSocket-Protocol: a,,b")),
    Row("a subprotocol twice", 400, bad, Row.adding("Sec-WebSocket-Protocol: a, a")),
    Row("a subprotocol that is no word", 400, bad, Row.adding("Sec-WebSocket-Protocol: \"a")),
    Row(
      "17 subprotocols", 400, bad,
      Row.adding("Sec-WebSocket-Protocol: " + (0..<17).map { "p\($0)" }.joined(separator: ", "))),
    Row(
      "four thousand subprotocols", 400, bad,
      Row.adding("Sec-WebSocket-Protocol: " + String(repeating: "a,", count: 4_000))),
    Row(
      "blanks without end between subprotocols", 400, bad,
      Row.adding("Sec-WebSocket-Protocol: a" + String(repeating: " ", count: 7_000) + "b")),
    Row(
      "an extension with an open quote", 101,
      Row.adding("Sec-WebSocket-Extensions: x; y=\"" + String(repeating: "\\a", count: 3_000))),
  ]

  @Test("a handshake", arguments: protocolRows)
  func handshake(row: Row) async throws { try await withNode { try row.check($0) } }

  @Test("a request", arguments: requestRows)
  func request(row: Row) async throws { try await withNode { try row.check($0) } }

  @Test("a token", arguments: tokenRows)
  func tokens(row: Row) async throws { try await withNode { try row.check($0) } }

  @Test func `the older subprotocol form is answered with itself`() async throws {
    try await withNode { node in
      let token = try token("u")
      var client = try TestClient(port: node.port)
      try client.send(TestClient.upgradeRequest("/ws", "Sec-WebSocket-Protocol: \(token)\r\n"))
      #expect(try client.answer()?.header("sec-websocket-protocol") == token)
    }
  }

  @Test(arguments: ["/nowhere", "/ws/", "/WS", "/ws/online/", "/admin", "/api", "/api/nothing", "/debug", "//"])
  func `an unknown path is not found, upgrade or not`(path: String) async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      try client.send(TestClient.upgradeRequest(path))
      let answer = try #require(try client.answer())
      #expect(answer.status == 404 && answer.body == #"{"error":"not found"}"#)
      #expect(answer.header("referrer-policy") == "no-referrer")
    }
  }

  @Test(arguments: ["/", "/ws/online", "/ws/stats", "/metrics", "/healthz", "/readyz"])
  func `no page tells others where its visitor came from`(path: String) async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      try client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
      let answer = try #require(try client.answer())
      #expect(answer.status == 200 && answer.header("referrer-policy") == "no-referrer")
      #expect(answer.header("cache-control") != nil)
    }
  }
}
