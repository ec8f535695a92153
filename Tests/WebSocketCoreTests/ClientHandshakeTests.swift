import Buffers
import Testing
import WebSocketCore

@Suite struct ClientHandshakeTests {
  let client: ClientHandshake

  init() throws {
    let text = "dGhlIHNhbXBsZSBub25jZQ=="
    let key = try #require(unsafe HandshakeKey(text.utf8Span.span.bytes))
    client = ClientHandshake(key: key, subprotocols: ["roost.v1", "bearer.abc"])
  }

  func response(_ lines: [String]) throws(ClientHandshake.Failure) -> ClientHandshake.Response? {
    let text = lines.joined(separator: "\r\n") + "\r\n\r\n"
    return try unsafe client.response(in: text.utf8Span.span.bytes)
  }

  static let good = [
    "HTTP/1.1 101 Switching Protocols", "upgrade: WebSocket", "Connection: keep-alive, Upgrade",
    "Sec-WebSocket-Accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t",
  ]

  @Test func `the request has what RFC 6455 asks for`() {
    let request = ByteBuffer.written {
      client.appendRequest(host: "localhost:8080", target: "/ws?x=1", headers: [("Origin", "http://a")], to: &$0)
    }
    let expected = [
      "GET /ws?x=1 HTTP/1.1", "Host: localhost:8080", "Upgrade: websocket", "Connection: Upgrade",
      "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: roost.v1, bearer.abc", "Origin: http://a",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
    ].joined(separator: "\r\n")
    #expect(String(decoding: request, as: UTF8.self) == expected)
  }

  @Test func `a right response is accepted, frames behind it are not touched`() throws {
    let text = (Self.good + ["Sec-WebSocket-Protocol: roost.v1"]).joined(separator: "\r\n") + "\r\n\r\n"
    let frames = "\u{1}\u{2}"
    for end in 0..<text.utf8.count {
      let part = String(decoding: text.utf8.prefix(end), as: UTF8.self)
      #expect(try unsafe client.response(in: part.utf8Span.span.bytes) == nil)
    }
    let whole = text + frames
    let response = try unsafe client.response(in: whole.utf8Span.span.bytes)
    #expect(response?.byteCount == text.utf8.count && response?.subprotocol == "roost.v1")
    #expect(try self.response(Self.good)?.subprotocol == nil)
  }

  @Test(
    arguments: [
      (["HTTP/1.1 401 Unauthorized"], .refused(status: 401)),
      (["HTTP/1.1 503"], .refused(status: 503)),
      (["HTTP/1.0 101 Switching Protocols"], .malformed),
      (["HTTP/1.1 abc"], .malformed), (["\u{1}"], .malformed), (["HTTP/1.1 101 x", "no colon"], .malformed),
      (["HTTP/1.1 101 x", "Connection: Upgrade"], .notUpgraded),
      (["HTTP/1.1 101 x", "Upgrade: websocket", "Connection: close"], .notUpgraded),
      (["HTTP/1.1 101 x", "Upgrade: websocket", "Connection: upgrade"], .wrongAccept),
      (Array(good.dropLast()) + ["Sec-WebSocket-Accept: AAAA"], .wrongAccept),
      (good + ["Sec-WebSocket-Extensions: permessage-deflate"], .unexpectedExtension),
      (good + ["Sec-WebSocket-Protocol: other"], .unexpectedSubprotocol),
      (good + ["Sec-WebSocket-Protocol: roost.v1", "Sec-WebSocket-Protocol: bearer.abc"], .unexpectedSubprotocol),
    ] as [([String], ClientHandshake.Failure)])
  func `other responses are not`(lines: [String], failure: ClientHandshake.Failure) {
    #expect(throws: failure) { try response(lines) }
  }

  @Test func `an endless head is given up`() {
    let head = String(repeating: "x", count: 16 * 1024 + 1)
    #expect(throws: ClientHandshake.Failure.headTooLong) {
      try unsafe client.response(in: head.utf8Span.span.bytes)
    }
  }
}
