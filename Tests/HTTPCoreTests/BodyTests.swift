import HTTPCore
import Testing

@Suite("Bodies") struct BodyTests {
  private func request(_ lines: String) throws -> Request {
    try #require(try parse("POST / HTTP/1.1\r\nHost: x\r\n\(lines)\r\n"))
  }

  @Test(arguments: [
    ("", false), ("Content-Type: application/json\r\n", true), ("content-type:APPLICATION/JSON \r\n", true),
    ("Content-Type: application/json;charset=utf-8\r\n", true), ("Content-Type: application/json ; a=b\r\n", true),
    ("Content-Type: application/jsonx\r\n", false), ("Content-Type: text/json\r\n", false),
    ("Content-Type: ;application/json\r\n", false), ("Content-Type:\r\n", false),
    ("Content-Type: application/json\r\nContent-Type: application/json\r\n", false),
  ])
  func `JSON is announced or not`(lines: String, isJSON: Bool) throws {
    let request = try request(lines)
    #expect(unsafe request.head.announcesJSON(in: request.bytes.span.bytes) == isJSON)
  }

  @Test(arguments: [
    ("", RequestHead.Expectation.nothing), ("Expect: 100-continue\r\n", .goAhead),
    ("Expect: 100-Continue\r\n", .goAhead),
    ("Expect: 200-ok\r\n", .unknown), ("Expect: 100-continue\r\nExpect: 100-continue\r\n", .unknown),
    ("Expect:\r\n", .unknown),
  ])
  func `expectations are known or not`(lines: String, expected: RequestHead.Expectation) throws {
    let request = try request(lines)
    #expect(unsafe request.head.expectation(in: request.bytes.span.bytes) == expected)
  }
}
