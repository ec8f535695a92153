import HTTPCore
import Testing

@Suite struct QueryTests {
  static func value(_ name: StaticString, _ target: String) throws -> String? {
    try #require(try parse("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")).queryValue(name)
  }

  @Test(
    arguments: [
      ("/ws", nil), ("/ws?", nil), ("/ws?tok=1", nil), ("/ws?tokens=1", nil), ("/ws?token", ""), ("/ws?token=", ""),
      ("/ws?token=a.b-c_d", "a.b-c_d"), ("/ws?x=1&token=2", "2"), ("/ws?&&token=2&", "2"), ("/ws?token=a%2Eb", "a.b"),
      ("/ws?%74oken=x", "x"), ("/ws?token=a=b", "a=b"), ("/ws?token=a+b%2bc", "a b+c"), ("/ws?token=a?b", "a?b"),
      ("/ws?token=gr%C3%B6%C3%9Fe", "größe"), ("/ws?Token=1", nil), ("/token=1", nil),
    ] as [(String, String?)])
  func `values are decoded`(target: String, expected: String?) throws {
    #expect(try Self.value("token", target) == expected)
  }

  @Test(arguments: [
    "/ws?token=%", "/ws?token=%4", "/ws?token=%4g", "/ws?token=%00", "/ws?token=%0d%0a", "/ws?%zz=1", "/ws?token=%7F",
  ])
  func `bad encoding is refused`(target: String) {
    #expect(throws: QueryError.malformed) { try Self.value("token", target) }
  }

  @Test(arguments: ["/ws?token=1&token=1", "/ws?token=1&%74oken=2", "/ws?token&x&token"])
  func `a second value is refused`(target: String) {
    #expect(throws: QueryError.repeated) { try Self.value("token", target) }
  }

  @Test(arguments: [
    ("/ws", "/ws"), ("/ws?", "/ws"), ("/ws?a=b&c", "/ws?a=b&c"), ("/ws?token=secret", "/ws?token=***"),
    ("/ws?a=1&%74oken=secret&token", "/ws?a=1&%74oken=***&token=***"), ("/ws?to%ken=secret", "/ws?to%ken=***"),
  ])
  func `tokens are not logged`(target: String, logged: String) throws {
    #expect(try #require(try parse("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")).redactedTarget == logged)
  }

  @Test func `a plus stays a plus in a path`() throws {
    let bytes = Array("a+b%20c".utf8)
    let decoded = unsafe try percentDecoded(0..<7, in: bytes.span.bytes, plusIsSpace: false)
    #expect(decoded == Array("a+b c".utf8))
  }
}
