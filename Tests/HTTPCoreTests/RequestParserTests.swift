import HTTPCore
import RoostTesting
import Testing

@Suite struct RequestParserTests {
  static let handshake =
    "GET /ws?token=a.b.c&x=%20 HTTP/1.1\r\nHost: chat.example:8080\r\nUpgrade: WebSocket\r\n"
    + "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: roost.v1,  bearer.x\r\n"
    + "sec-websocket-protocol:\t , second\t\r\nX-Empty:\r\n\r\n"

  @Test func `a handshake is read`() throws {
    let request = try #require(try parse(Self.handshake))
    #expect(request.head.method == .get && request.head.keepAlive && request.head.bodyLength == 0)
    #expect(request.head.byteCount == Self.handshake.utf8.count && request.head.fields.count == 8)
    #expect(request.isPath("/ws") && !request.isPath("/w") && !request.isPath("/WS"))
    #expect(request.query == "token=a.b.c&x=%20")
    #expect(request.value("host") == "chat.example:8080" && request.value("x-empty") == "")
    #expect(request.value("origin") == nil && request.occurrences("origin") == 0)
    #expect(request.list("upgrade", contains: "websocket") && request.list("connection", contains: "upgrade"))
    #expect(!request.list("connection", contains: "close"))
  }

  @Test func `a list goes over all lines of its name`() throws {
    let request = try #require(try parse(Self.handshake))
    #expect(request.occurrences("sec-websocket-protocol") == 2)
    #expect(request.list("sec-websocket-protocol") == ["roost.v1", "bearer.x", "second"])
  }

  @Test(arguments: [
    ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch), ("DELETE", .delete),
    ("OPTIONS", .options), ("get", .other), ("BREW", .other), ("CONNECT", .other), ("M-SEARCH", .other),
  ])
  func `methods are case-sensitive`(name: String, method: HTTPCore.Method) throws {
    #expect(try parse("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")?.head.method == method)
  }

  @Test(arguments: [
    ("Connection: close", false), ("connection: Keep-Alive, CLOSE", false), ("Connection: closed", true),
    ("Connection: keep-alive", true), ("X: close", true),
  ])
  func `the connection stays open unless the client says close`(line: String, keepAlive: Bool) throws {
    #expect(try parse("GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n")?.head.keepAlive == keepAlive)
  }

  @Test(arguments: ["a", "A.b-c_d~", "localhost:8080", "[::1]", "[::ffff:1.2.3.4]:65535", "1.2.3.4:0"])
  func `hosts that are taken`(host: String) throws {
    #expect(try parse("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") != nil)
  }

  @Test(
    arguments: [
      ("Authorization: Bearer a.b-c", "a.b-c"), ("authorization: BEARER  x ", "x"), ("Authorization: Bearer", nil),
      ("Authorization: Basic x", nil), ("Authorization: Bearerx y", nil), ("Authorization: a.b.c", nil), ("X: y", nil),
    ] as [(String, String?)])
  func `bearer tokens`(line: String, token: String?) throws {
    #expect(try parse("GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n")?.bearerToken == token)
  }

  @Test func `a body is announced by a plain length`() throws {
    let request = "POST /api/publish HTTP/1.1\r\nHost: a\r\nContent-Length: 012\r\n\r\n"
    let head = try #require(try parse(request + "{\"room\":\"a\"}")?.head)
    #expect(head.bodyLength == 12 && head.byteCount == request.utf8.count)
    #expect(try parse("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")?.head.bodyLength == 0)
  }

  @Test func `after a head the parser stands before the next one`() throws {
    var parser = RequestParser()
    for target in ["/one", "/three"] {
      let bytes = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
      #expect(try parser.parse(Array(bytes.dropLast())) == nil)
      let head = try #require(try parser.parse(bytes + [0x81]))
      #expect(head.path.count == target.utf8.count && head.byteCount == bytes.count)
    }
  }

  @Test func `what a connection keeps between pieces is eight bytes`() {
    #expect(MemoryLayout<RequestParser>.size <= 8)
  }

  @Test func `where the network cuts changes nothing`() throws {
    let bytes = Array(Self.handshake.utf8)
    let whole = outcome(bytes, ends: [bytes.count])
    #expect(outcome(bytes, ends: 0...bytes.count) == whole)
    for cut in 0..<bytes.count {
      #expect(outcome(bytes, ends: [cut]) == .incomplete)
      #expect(outcome(bytes, ends: [cut, bytes.count]) == whole)
    }
  }

  /// Any bytes, most of them near a real request: an answer, never a crash, and the same however they are cut.
  @Test(arguments: 0..<300 as Range<UInt64>)
  func `damaged requests get one answer`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var bytes = Array(Self.handshake.utf8)
    let pieces: [[UInt8]] = [[13], [10], [13, 10], [0], [32], [9], [58], [44], [63], [255], [13, 10, 13, 10]]
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
      case 1: bytes.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: place)
      default: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &generator)))
      }
    }
    let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted() + [bytes.count]
    let whole = outcome(bytes, ends: [bytes.count])
    #expect(outcome(bytes, ends: cuts) == whole)
    #expect(outcome(bytes, ends: 0...bytes.count) == whole)
    guard case .head(let head) = whole else { return }
    let request = Request(bytes: bytes, head: head)
    #expect(head.byteCount <= bytes.count && request.occurrences("host") == 1)
    #expect(request.path.first == "/")
    _ = try? request.queryValue("token")
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `noise never crashes`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let bytes = (0..<Int.random(in: 0...400, using: &generator)).map { _ in
      UInt8.random(in: 0...255, using: &generator)
    }
    #expect(outcome(bytes, ends: 0...bytes.count) == outcome(bytes, ends: [bytes.count]))
  }
}
