import HTTPCore
import RoostTesting
import Testing

@Suite struct ResponseTests {
  @Test func `an answer has every line it needs`() {
    var response = Response(.ok, contentType: .json, body: Array(#"{"online":1}"#.utf8))
    response.add("Roost-Scope", "node")
    let expected = """
      HTTP/1.1 200 OK\r
      Date: Sun, 06 Nov 1994 08:49:37 GMT\r
      Content-Type: application/json\r
      Content-Length: 12\r
      Cache-Control: no-store\r
      X-Content-Type-Options: nosniff\r
      Referrer-Policy: no-referrer\r
      Roost-Scope: node\r
      \r\n
      """
    #expect(text { response.write(to: &$0, now: 784_111_777) } == expected + #"{"online":1}"#)
    #expect(text { response.write(to: &$0, now: 784_111_777, headOnly: true) } == expected)
  }

  @Test(
    arguments: [
      (
        Response.upgradeRequired(), 426,
        ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Connection: upgrade, close"]
      ),
      (.methodNotAllowed(allow: "GET"), 405, ["Allow: GET", "Connection: close"]),
      (.authenticationRequired(), 401, [#"WWW-Authenticate: Bearer error="invalid_token""#]),
      (.tooManyRequests(retryAfter: 7), 429, ["Retry-After: 7"]),
      (.unavailable("draining", retryAfter: 3), 503, ["Retry-After: 3"]),
      (.requestTimeout(), 408, ["Connection: close"]),
      (.refusal(.headersTooLarge), 431, ["Connection: close"]),
      (.error(.forbidden, "origin not allowed"), 403, [#"{"error":"origin not allowed"}"#]),
    ] as [(Response, UInt16, [String])])
  func `refusals carry what the client needs`(response: Response, status: UInt16, lines: [String]) {
    let written = text { response.write(to: &$0, now: 0) }
    #expect(written.hasPrefix("HTTP/1.1 \(status) \(response.status.reason)\r\n"))
    for line in lines { #expect(written.contains("\r\n\(line)")) }
    #expect(written.contains(#"{"error":""#))
  }

  @Test func `error texts are escaped`() {
    let response = Response.error(.badRequest, "a\"b\\c\nd\u{1F}é")
    #expect(String(decoding: response.body, as: UTF8.self) == #"{"error":"a\"b\\c\u000ad\u001fé"}"#)
  }

  @Test func `an answer without a body has no length`() {
    let written = text { Response(.noContent, body: [1]).write(to: &$0, now: 0) }
    #expect(!written.contains("Content-Length") && written.hasSuffix("\r\n\r\n"))
  }

  @Test func `a header value cannot start a line`() async {
    await #expect(processExitsWith: .failure) {
      var response = Response(.ok)
      response.add("X", "a\r\nSet-Cookie: b")
    }
  }

  @Test func `the upgrade answers the subprotocol as offered`() {
    let request = Array("roost.v1, bearer.x".utf8)
    let accept = Array("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".utf8)
    let written = text {
      unsafe Response.writeSwitchingProtocols(
        accept: accept.span.bytes, subprotocol: 0..<8, of: request.span.bytes, extensions: "x", to: &$0)
    }
    #expect(
      written == """
        HTTP/1.1 101 Switching Protocols\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
        Sec-WebSocket-Protocol: roost.v1\r
        Sec-WebSocket-Extensions: x\r
        \r\n
        """)
    let plain = text {
      unsafe Response.writeSwitchingProtocols(
        accept: accept.span.bytes, subprotocol: nil, of: request.span.bytes, to: &$0)
    }
    #expect(plain.hasSuffix("xOo=\r\n\r\n") && !plain.contains("Protocol:"))
  }

  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_732_160_000, "Thu, 21 Nov 2024 03:33:20 GMT"),
      (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
      (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    ] as [(Int64, String)])
  func `dates`(seconds: Int64, expected: String) {
    #expect(text { Response(.ok).write(to: &$0, now: seconds) }.contains("\r\nDate: \(expected)\r\n"))
  }
}

@Suite struct ResponseParserTests {
  static func head(_ text: String) throws -> ResponseHead? {
    var parser = ResponseParser()
    return try parser.parse(Array(text.utf8))
  }

  @Test func `our own answers can be read`() throws {
    let written = text { Response.error(.notFound, "no such room").write(to: &$0, now: 0) }
    let head = try #require(try Self.head(written))
    #expect(head.status == 404 && head.bodyLength == 24 && !head.keepAlive)
    #expect(head.byteCount == written.utf8.count - 24)
    let upgrade = try #require(try Self.head("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}"))
    #expect(upgrade.status == 101 && upgrade.bodyLength == 0 && upgrade.keepAlive)
    #expect(try Self.head("HTTP/1.1 200\r\n\r\n")?.bodyLength == .some(nil))
  }

  @Test(arguments: [
    "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "x\n",
    "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
  ])
  func `anything else is refused`(text: String) {
    #expect(throws: ResponseError.malformed) { try Self.head(text) }
  }

  @Test func `where the network cuts changes nothing`() throws {
    let bytes = Array(text { Response.error(.notFound, "x").write(to: &$0, now: 0) }.utf8)
    var parser = ResponseParser()
    var found: [Int] = []
    for end in 0...bytes.count {
      if let head = try parser.parse(Array(bytes[..<end])) { found.append(head.byteCount) }
      if !found.isEmpty { break }
    }
    #expect(found == [bytes.count - #"{"error":"x"}"#.utf8.count])
  }
}
