import HTTPCore
import Testing

/// What hostile and broken requests get: SPEC section 1, SECURITY-CHECKLIST section 1, RFC 9112 section 11.
@Suite struct RefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let request: String
    let error: RequestError
    var testDescription: String { "\(error): \(request.prefix(60).debugDescription)" }

    init(_ request: String, _ error: RequestError) { (self.request, self.error) = (request, error) }

    /// A case that is about header lines only.
    init(lines: String, method: String = "GET", _ error: RequestError) {
      self.init("\(method) / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n", error)
    }
  }

  static let requestLines: [Case] = [
    Case("\r\nGET / HTTP/1.1\r\n", .malformedRequestLine),
    Case("GET / HTTP/1.1\n", .controlCharacter),
    Case("GET / HTTP/1.1\r \n", .controlCharacter),
    Case("GET /\0 HTTP/1.1\r\n", .controlCharacter),
    Case("GET\t/ HTTP/1.1\r\n", .controlCharacter),
    Case("\u{16}\u{3}\u{1}", .controlCharacter),
    Case("GET /\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("\(String(repeating: "M", count: 33)) / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("GET / http/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("GET / HTTP/1.1x\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("GET / HTTP/1.\r\nHost: a\r\n\r\n", .malformedRequestLine),
    Case("GET / HTTP/1.0\r\nHost: a\r\n\r\n", .obsoleteVersion),
    Case("GET / HTTP/0.9\r\nHost: a\r\n\r\n", .obsoleteVersion),
    Case("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .unsupportedVersion),
    Case("PRI * HTTP/2.0\r\n\r\n", .unsupportedVersion),
    Case("GET ws HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    Case("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    Case("GET http://a/ws HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    Case("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    Case("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    Case("GET /ä HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
  ]

  static let headers: [Case] = [
    Case(lines: "X-A: b\nX-C: d", .controlCharacter),
    Case(lines: "X-A: b\rX-C: d", .controlCharacter),
    Case(lines: "X-A: b\r\r\n", .controlCharacter),
    Case(lines: "X-A: b\0c", .controlCharacter),
    Case(lines: "X-A: b\u{7F}", .controlCharacter),
    Case(lines: "X-A: b\u{1B}[2J", .controlCharacter),
    Case(lines: "X-A: b\r\n c", .foldedHeader),
    Case(lines: "X-A: b\r\n\tc", .foldedHeader),
    Case("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .foldedHeader),
    Case(lines: "X-A : b", .malformedHeader),
    Case(lines: "X-A\t: b", .malformedHeader),
    Case(lines: "X A: b", .malformedHeader),
    Case(lines: ": b", .malformedHeader),
    Case(lines: "no colon", .malformedHeader),
    Case(lines: "nocolon", .malformedHeader),
    Case(lines: "X-Ä: b", .malformedHeader),
    Case(lines: "X(A): b", .malformedHeader),
    Case("GET / HTTP/1.1\r\nX: y\r\n\r\n", .missingHost),
    Case("GET / HTTP/1.1\r\n\r\n", .missingHost),
    Case(lines: "Host: a", .repeatedHost),
    Case(lines: "hOST: b", .repeatedHost),
  ]

  static let hosts: [Case] = [
    "", "a b", "a,b", "user@a", "a/b", "a:b", "a:", "a:65536", "a:1:2", ":80", "[]", "[::1", "[::1]x", "[g::1]", "ä",
    "a\"", "a<b>", "http://a",
  ].map { Case("GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n", .malformedHost) }

  static let bodies: [Case] = [
    Case(lines: "Content-Length: 1", .unexpectedBody),
    Case(lines: "Content-Length: 5", method: "HEAD", .unexpectedBody),
    Case(lines: "Transfer-Encoding: chunked", .unexpectedBody),
    Case(lines: "Transfer-Encoding: identity", .unexpectedBody),
    Case(lines: "Content-Length: 5\r\nTransfer-Encoding: chunked", method: "POST", .ambiguousLength),
    Case(lines: "Transfer-Encoding: chunked\r\nContent-Length: 0", .ambiguousLength),
    Case(lines: "Transfer-Encoding: chunked", method: "POST", .lengthRequired),
    Case(lines: "Transfer-Encoding: xchunked", method: "POST", .unknownTransferCoding),
    Case(lines: "Transfer-Encoding: gzip, chunked", method: "POST", .unknownTransferCoding),
    Case(lines: "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", method: "POST", .unknownTransferCoding),
    Case(lines: "Transfer-Encoding:", method: "POST", .unknownTransferCoding),
    Case(lines: "Content-Length: 5\r\nContent-Length: 5", method: "POST", .malformedLength),
    Case(lines: "Content-Length: 5\r\nContent-Length: 6", method: "POST", .malformedLength),
    Case(lines: "Content-Length: 0\r\nContent-Length: 0", .malformedLength),
    Case(lines: "Content-Length: 5, 5", method: "POST", .malformedLength),
    Case(lines: "Content-Length: +5", method: "POST", .malformedLength),
    Case(lines: "Content-Length: -5", method: "POST", .malformedLength),
    Case(lines: "Content-Length: 0x5", method: "POST", .malformedLength),
    Case(lines: "Content-Length: 5 5", method: "POST", .malformedLength),
    Case(lines: "Content-Length:", method: "POST", .malformedLength),
    Case(lines: "Content-Length: 18446744073709551616", method: "POST", .malformedLength),
    Case(lines: "Content-Length: 65537", method: "POST", .bodyTooLarge),
    Case(lines: "Content-Length: 999999999999999999", method: "PUT", .bodyTooLarge),
  ]

  static let limits: [Case] = [
    Case("GET /\(String(repeating: "a", count: 6144)) HTTP/1.1\r\nHost: a\r\n\r\n", .targetTooLong),
    Case("GET /\(String(repeating: "a", count: 7000))", .targetTooLong),
    Case(String(repeating: "a", count: 100_000), .targetTooLong),
    Case(lines: "X: \(String(repeating: "b", count: 8192))", .headersTooLarge),
    Case("GET / HTTP/1.1\r\n\(String(repeating: "b", count: 8193))", .headersTooLarge),
    Case("GET / HTTP/1.1\r\n\(String(repeating: "X: y\r\n", count: 65))", .tooManyHeaders),
  ]

  @Test(arguments: requestLines + headers + hosts + bodies + limits)
  func `is refused`(example: Case) {
    let bytes = Array(example.request.utf8)
    #expect(outcome(bytes, ends: [bytes.count]) == .refused(example.error))
    guard bytes.count < 1000 else { return }
    #expect(outcome(bytes, ends: 0...bytes.count) == .refused(example.error), "byte by byte")
  }

  @Test func `every error is refused by some case`() {
    let all = Self.requestLines + Self.headers + Self.hosts + Self.bodies + Self.limits
    for error in RequestError.allCases { #expect(all.contains { $0.error == error }, "\(error)") }
  }

  @Test(
    arguments: [
      (RequestError.controlCharacter, 400), (.obsoleteVersion, 400), (.unexpectedBody, 400), (.ambiguousLength, 400),
      (.lengthRequired, 411), (.bodyTooLarge, 413), (.targetTooLong, 414), (.headersTooLarge, 431),
      (.tooManyHeaders, 431), (.unknownTransferCoding, 501), (.unsupportedVersion, 505),
    ] as [(RequestError, UInt16)])
  func `statuses`(error: RequestError, status: UInt16) { #expect(Status(error).rawValue == status) }

  @Test func `the limits themselves are let through`() throws {
    let target = "/" + String(repeating: "a", count: 6143)
    #expect(try parse("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")?.head.path.count == 6144)
    let line = "Host: a\r\nX: "
    let filling = String(repeating: "b", count: 8192 - line.utf8.count - 2)
    #expect(try parse("GET / HTTP/1.1\r\n\(line)\(filling)\r\n\r\n") != nil)
    #expect(throws: RequestError.headersTooLarge) { try parse("GET / HTTP/1.1\r\n\(line)\(filling)b\r\n\r\n") }
    let lines = String(repeating: "X: y\r\n", count: 63)
    #expect(try parse("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")?.head.fields.count == 64)
  }

  @Test func `limits that the parser cannot keep are told`() {
    var limits = HTTPLimits()
    #expect(limits.problems.isEmpty)
    (limits.headerBytes, limits.bodyBytes) = (60_000, -1)
    #expect(limits.problems.count == 2)
  }

  @Test func `the longest head fits what the limits promise`() throws {
    var limits = HTTPLimits()
    (limits.targetBytes, limits.headerBytes) = (10, 20)
    let method = String(repeating: "M", count: 32)
    let request = "\(method) /234567890 HTTP/1.1\r\nHost: abcdefghijkl\r\n\r\n"
    #expect(request.utf8.count == limits.headBytes)
    #expect(try parse(request, limits: limits)?.head.byteCount == limits.headBytes)
  }
}
