import RoostServer
import RoostTesting
import Telemetry
import Testing

let testKey = "a key of the test, as long as it must be".replacing(" ", with: "-")

/// A node whose API has one key.
func withAPI(_ change: (inout ServerConfiguration) -> Void = { _ in }, _ body: (Node) throws -> Void) async throws {
  try await withNode(
    configured {
      $0.apiKeys = [Array("another-key-that-stands-before-the-right-one".utf8), Array(testKey.utf8)]
      change(&$0)
    }, body)
}

extension TestClient {
  /// Sends a call; `lines` are further header lines, each with its line end.
  func call(
    _ path: String, _ body: String? = nil, authorization: String? = "Bearer " + testKey, lines: String = "",
    type: String? = "application/json", method: String = "POST"
  ) throws {
    var request = "\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(lines)"
    if let authorization { request += "Authorization: \(authorization)\r\n" }
    if let body { request += (type.map { "Content-Type: \($0)\r\n" } ?? "") + "Content-Length: \(body.utf8.count)\r\n" }
    try send(request + "\r\n" + (body ?? ""))
  }
}

/// Who may call, with what, and what everybody else is told.
@Suite("API", .timeLimit(.minutes(20)))
struct APITests {
  static let revoke = "/api/tokens/revoke"
  static let good = #"{"token_id":"t-1"}"#
  static let unauthorized = #"{"error":"authentication required"}"#

  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var status: Int
    /// What the answer's body says, when that matters.
    var error: String?
    var closes = false
    var send: @Sendable (borrowing TestClient) throws -> Void
    var testDescription: String { name }

    init(
      _ name: String, _ status: Int, _ error: String? = nil, closes: Bool = false,
      _ send: @escaping @Sendable (borrowing TestClient) throws -> Void
    ) {
      (self.name, self.status, self.error, self.closes, self.send) = (name, status, error, closes, send)
    }
  }

  static let callers: [Row] = [
    Row("nobody", 401, unauthorized, closes: true) { try $0.call(revoke, good, authorization: nil) },
    Row("a wrong key", 401, unauthorized, closes: true) {
      try $0.call(revoke, good, authorization: "Bearer " + String(testKey.reversed()))
    },
    Row("the beginning of a key", 401, unauthorized, closes: true) {
      try $0.call(revoke, good, authorization: "Bearer " + testKey.dropLast())
    },
    Row("a key and more", 401, unauthorized, closes: true) {
      try $0.call(revoke, good, authorization: "Bearer \(testKey)x")
    },
    Row("no key at all", 401, unauthorized, closes: true) { try $0.call(revoke, good, authorization: "Bearer ") },
    Row("another scheme", 401, unauthorized, closes: true) {
      try $0.call(revoke, good, authorization: "Basic " + testKey)
    },
    Row("a key in the query", 401, unauthorized, closes: true) {
      try $0.call("\(revoke)?token=\(testKey)", good, authorization: nil)
    },
    Row("a bad token", 401, unauthorized, closes: true) { try $0.call(revoke, good, authorization: "Bearer a.b.c") },
    Row("an admin's expired token", 401, unauthorized, closes: true) {
      try $0.call(revoke, good, authorization: "Bearer \(token("root", role: "admin", seconds: -1))")
    },
    Row("a user", 403, #"{"error":"admins only"}"#, closes: true) {
      try $0.call(revoke, good, authorization: "Bearer \(token("anna"))")
    },
    Row("two keys", 400, closes: true) { try $0.call(revoke, good, lines: "Authorization: Bearer x\r\n") },
    Row("a key", 200, #"{"revoked":true}"#) { try $0.call(revoke, good) },
    Row("a key, the scheme in small letters", 200) { try $0.call(revoke, good, authorization: "bearer " + testKey) },
    Row("an admin", 200, #"{"revoked":true}"#) {
      try $0.call(revoke, good, authorization: "Bearer \(token("root", role: "admin"))")
    },
  ]

  static let paths: [Row] = [
    Row("another method", 405) { try $0.call(revoke, method: "GET") },
    Row("another method with a body", 405, closes: true) { try $0.call(revoke, good, method: "PUT") },
    Row("no such call", 404) { try $0.call("/api/nothing") },
    Row("no such call, with a body", 404, closes: true) { try $0.call("/api/nothing", good) },
    Row("too short a path", 404) { try $0.call("/api/users") },
    Row("too long a path", 404) { try $0.call("/api/users/anna/b/disconnect") },
    Row("an encoded fixed part", 404) { try $0.call("/api/%75sers/anna/disconnect") },
    Row("slashes without end", 404) { try $0.call("/api" + String(repeating: "/", count: 2_000)) },
    Row("a name", 200, #"{"connections":0}"#) { try $0.call("/api/users/anna/disconnect") },
    Row("an encoded name", 200) { try $0.call("/api/users/%C3%A4%2Fb%20c/disconnect") },
    Row("a name of 128 bytes", 200) { try $0.call("/api/users/\(String(repeating: "a", count: 128))/disconnect") },
    Row("a name of 129 bytes", 400) { try $0.call("/api/users/\(String(repeating: "a", count: 129))/disconnect") },
    Row("no name", 400) { try $0.call("/api/users//disconnect") },
    Row("a bad escape", 400) { try $0.call("/api/users/%zz/disconnect") },
    Row("half an escape", 400) { try $0.call("/api/users/a%4/disconnect") },
    Row("a control character", 400) { try $0.call("/api/users/a%00b/disconnect") },
    Row("no UTF-8", 400) { try $0.call("/api/users/%ff/disconnect") },
  ]

  static let bodies: [Row] = [
    Row("no type", 415) { try $0.call(revoke, good, type: nil) },
    Row("another type", 415, closes: true) { try $0.call(revoke, good, type: "text/plain") },
    Row("two types", 415) { try $0.call(revoke, good, lines: "Content-Type: application/json\r\n") },
    Row("a type with parameters", 200) { try $0.call(revoke, good, type: "Application/JSON; charset=utf-8") },
    Row("no body", 415) { try $0.call(revoke) },
    Row("an empty body", 400) { try $0.call(revoke, "") },
    Row("the largest body", 200) {
      try $0.call(revoke, good + String(repeating: " ", count: 65_536 - good.utf8.count))
    },
    Row("too large a body", 413, closes: true) {
      try $0.send(
        "POST \(revoke) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(testKey)\r\nContent-Length: 65537\r\n\r\n")
    },
    Row("a body in chunks", 411, closes: true) {
      try $0.call(revoke, lines: "Transfer-Encoding: chunked\r\n")
    },
    Row("a body in an unknown coding", 501, closes: true) { try $0.call(revoke, lines: "Transfer-Encoding: gzip\r\n") },
    Row("two lengths", 400, closes: true) { try $0.call(revoke, good, lines: "Content-Length: 18\r\n") },
    Row("an unknown expectation", 417) { try $0.call(revoke, good, lines: "Expect: the-best\r\n") },
    Row("no JSON", 400) { try $0.call(revoke, "token_id=t-1") },
    Row("an array", 400) { try $0.call(revoke, "[]") },
    Row("two objects", 400) { try $0.call(revoke, good + good) },
    Row("a name twice", 400) { try $0.call(revoke, #"{"token_id":"a","token_id":"b"}"#) },
    Row("an unknown name", 400) { try $0.call(revoke, #"{"token_id":"a","untill":1}"#) },
    Row("brackets without end", 400) { try $0.call(revoke, String(repeating: "[", count: 60_000)) },
    Row("nothing named", 400) { try $0.call(revoke, "{}") },
    Row("both named", 400) { try $0.call(revoke, #"{"token_id":"a","user_id":"b"}"#) },
    Row("a number for a name", 400) { try $0.call(revoke, #"{"user_id":7}"#) },
    Row("an empty name", 400) { try $0.call(revoke, #"{"user_id":""}"#) },
    Row("a long name", 400) { try $0.call(revoke, #"{"user_id":"\#(String(repeating: "a", count: 129))"}"#) },
    Row("a moment", 200) { try $0.call(revoke, #"{"user_id":"someone","until":4102444800}"#) },
    Row("a moment that is over", 400) { try $0.call(revoke, #"{"user_id":"someone","until":1}"#) },
    Row("half a moment", 400) { try $0.call(revoke, #"{"user_id":"someone","until":4102444800.5}"#) },
    Row("a moment beyond all", 400) { try $0.call(revoke, #"{"user_id":"someone","until":99999999999999}"#) },
    Row("a moment in words", 400) { try $0.call(revoke, #"{"user_id":"someone","until":"2100-01-01"}"#) },
    Row("a long reason", 400) {
      try $0.call("/api/users/u/disconnect", #"{"reason":"\#(String(repeating: "a", count: 124))"}"#)
    },
  ]

  @Test("answers as the table says", arguments: callers + paths + bodies)
  func table(row: Row) async throws {
    try await withAPI { node in
      var client = try TestClient(port: node.port)
      try row.send(client)
      let answer = try #require(try client.answer())
      #expect(answer.status == row.status, "\(answer.body)")
      if let error = row.error { #expect(answer.body == error) }
      if row.status != 200 { #expect(answer.body.hasPrefix(#"{"error":""#)) }
      if row.status == 401 { #expect(answer.header("www-authenticate")?.hasPrefix("Bearer") == true) }
      if row.status == 405 { #expect(answer.header("allow") == "POST") }
      if row.closes { return #expect(try client.isAtEnd()) }
      if answer.header("connection") == "close" { return }
      try client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try client.answer()?.status == 200)
    }
  }

  @Test func `without a key there are only admins`() async throws {
    try await withNode { node in
      for authorization in [nil, "Bearer ", "Bearer " + testKey] {
        var client = try TestClient(port: node.port)
        try client.call(Self.revoke, Self.good, authorization: authorization)
        #expect(try client.answer()?.status == 401)
      }
      var client = try TestClient(port: node.port)
      try client.call(Self.revoke, Self.good, authorization: "Bearer \(token("root", role: "admin"))")
      #expect(try client.answer()?.status == 200)
    }
  }

  // MARK: Bodies on their way

  @Test func `a body may come byte by byte, and a request behind it`() async throws {
    try await withAPI { node in
      var client = try TestClient(port: node.port)
      let request =
        "POST \(Self.revoke) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(testKey)\r\n"
        + "Content-Type: application/json\r\nContent-Length: \(Self.good.utf8.count)\r\n\r\n\(Self.good)"
      for byte in request.utf8 { try client.send([byte]) }
      #expect(try client.answer()?.status == 200)
      try client.send(request + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + request)
      for _ in 0..<3 { #expect(try client.answer()?.status == 200) }
    }
  }

  @Test func `who may not call is answered before the body`() async throws {
    try await withAPI { node in
      for (authorization, status) in [("Bearer wrong", 401), ("Bearer \(try token("anna"))", 403)] {
        var client = try TestClient(port: node.port)
        try client.send(
          "POST \(Self.revoke) HTTP/1.1\r\nHost: x\r\nAuthorization: \(authorization)\r\nExpect: 100-continue\r\n"
            + "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n")
        #expect(try client.answer()?.status == status)
        #expect(try client.isAtEnd())
      }
    }
  }

  @Test(arguments: [testKey, try? token("root", role: "admin")])
  func `who waits for a word is told to go on`(credential: String?) async throws {
    let credential = try #require(credential)
    try await withAPI { node in
      var client = try TestClient(port: node.port)
      try client.send(
        "POST \(Self.revoke) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(credential)\r\nExpect: 100-continue\r\n"
          + "Content-Type: application/json\r\nContent-Length: \(Self.good.utf8.count)\r\n\r\n")
      #expect(try client.answer()?.status == 100)
      try client.send(Self.good)
      #expect(try client.answer()?.status == 200)
    }
  }

  @Test func `a body that does not come in time is not waited for`() async throws {
    try await withAPI({ $0.times.handshake = 1 }) { node in
      for isFirst in [true, false] {
        var client = try TestClient(port: node.port)
        if !isFirst { client = try .served(node) }
        try client.send(
          "POST \(Self.revoke) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(testKey)\r\n"
            + "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
        #expect(try client.answer()?.status == 408)
        #expect(try client.isAtEnd())
      }
    }
  }

  @Test func `a caller that ends its half is answered`() async throws {
    try await withAPI { node in
      var client = try TestClient(port: node.port)
      try client.call(Self.revoke, Self.good)
      client.shutdownSending()
      #expect(try client.answer()?.status == 200)
      #expect(try client.isAtEnd())
      let half = try TestClient(port: node.port)
      try half.send(
        "POST \(Self.revoke) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(testKey)\r\n"
          + "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
      half.shutdownSending()
      _ = consume half
    }
  }

  @Test func `a body on the way to a WebSocket is refused`() async throws {
    try await withAPI { node in
      for method in ["GET", "POST"] {
        var client = try TestClient(port: node.port)
        try client.call("/ws", Self.good, method: method)
        #expect(try client.answer()?.status == (method == "GET" ? 400 : 405))
        #expect(try client.isAtEnd())
      }
    }
  }

  // MARK: Guessing

  @Test func `guesses are limited for each address, and a right key still opens`() async throws {
    try await withAPI { node in
      func status(_ authorization: String) throws -> TestClient.Answer {
        var client = try TestClient(port: node.port)
        try client.call(Self.revoke, Self.good, authorization: authorization)
        return try #require(try client.answer())
      }
      for guess in 0..<10 { #expect(try status("Bearer guess-\(guess)").status == 401) }
      var (guesses, refusals) = (10, 0)
      // One more guess is free every ten seconds, which a slow machine may use up.
      try eventually("not even a good token is looked at") {
        let refused = try status("Bearer guess-\(guesses)")
        guard refused.status == 429 else {
          #expect(refused.status == 401)
          guesses += 1
          return false
        }
        #expect(refused.header("retry-after").flatMap { Int($0) }.map { (1...10).contains($0) } == true)
        refusals += 1
        let isLookedAt = try status("Bearer \(token("root", role: "admin"))").status != 429
        if !isLookedAt { refusals += 1 }
        return !isLookedAt
      }
      #expect(try status("Bearer \(testKey)").status == 200)
      var client = try TestClient(port: node.port)
      try client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
      let metrics = try #require(try client.answer()?.body)
      #expect(metrics.contains("roost_api_refused_total{reason=\"credentials\"} \(guesses)\n"))
      #expect(metrics.contains("roost_api_refused_total{reason=\"too_many_attempts\"} \(refusals)\n"))
    }
  }

  // MARK: A port of its own

  @Test(arguments: [1, 3])
  func `administration may have a port of its own`(shards: Int) async throws {
    try await withAPI({
      $0.adminPort = 0
      $0.shards = shards
    }) { node in
      let adminPort = try #require(node.adminPort)
      let rows: [(path: String, main: Int, admin: Int)] = [
        ("/metrics", 404, 200), ("/api/nothing", 404, 404), (Self.revoke, 404, 405), ("/healthz", 200, 200),
        ("/readyz", 200, 200), ("/ws/online", 200, 200), ("/ws/stats", 200, 404), ("/", 200, 404), ("/ws", 426, 404),
        ("/echo", 426, 404),
      ]
      for row in rows {
        for (port, status) in [(node.port, row.main), (adminPort, row.admin)] {
          var client = try TestClient(port: port)
          try client.send("GET \(row.path) HTTP/1.1\r\nHost: x\r\n\r\n")
          #expect(try client.answer()?.status == status, "\(row.path)")
        }
      }
      var main = try TestClient(port: node.port)
      try main.call(Self.revoke, Self.good)
      #expect(try main.answer()?.status == 404)
      var admin = try TestClient(port: adminPort)
      try admin.call(Self.revoke, Self.good)
      #expect(try admin.answer()?.status == 200)
    }
  }

  @Test func `two nodes cannot share a port, for clients or for administration`() async throws {
    try await withAPI({ $0.adminPort = 0 }) { node in
      for second in [configured { $0.adminPort = node.adminPort }, configured { $0.port = node.port }] {
        #expect(throws: Node.StartError.self) { try Node(second, log: Log(level: .error)) }
      }
    }
  }
}
