import HTTPCore
import Testing

/// Who a request is from, by what proxies say.
@Suite struct ForwardingTests {
  static func client(_ lines: [String], trusted: [String] = ["10.0.0.0/8", "fd00::/8"]) throws -> String? {
    let text = lines.map { "X-Forwarded-For: \($0)\r\n" }.joined()
    let request = try #require(try parse("GET / HTTP/1.1\r\nHost: a\r\n\(text)\r\n"))
    let proxies = trusted.compactMap { NetworkRange($0) }
    return unsafe request.head.forwardedClient(in: request.bytes.span.bytes, proxies: proxies)?.description
  }

  @Test(
    arguments: [
      ([], nil), ([""], nil), ([" , ,"], nil), (["192.0.2.1"], "192.0.2.1"), (["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
      (["192.0.2.1, 10.0.0.1"], "192.0.2.1"), (["6.6.6.6, 192.0.2.1, 10.0.0.2,10.0.0.1"], "192.0.2.1"),
      // Several lines are one list.
      (["6.6.6.6", "192.0.2.1", "10.0.0.1"], "192.0.2.1"), (["192.0.2.1,", ",10.0.0.1"], "192.0.2.1"),
      // All are ours: the first of them.
      (["10.0.0.3, 10.0.0.2"], "10.0.0.3"), (["10.0.0.1"], "10.0.0.1"),
      // Forms.
      (["  192.0.2.1\t"], "192.0.2.1"), (["192.0.2.1:4711"], "192.0.2.1"), (["2001:db8::1"], "2001:db8::1"),
      (["[2001:db8::1]"], "2001:db8::1"), (["[2001:db8::1]:4711"], "2001:db8::1"), (["::ffff:192.0.2.1"], "192.0.2.1"),
      (["192.0.2.1, [fd00::1]:80"], "192.0.2.1"), (["192.0.2.1, ::ffff:10.0.0.1"], "192.0.2.1"),
      // Garbage ends the reading, and what was good until then holds.
      (["unknown"], nil), (["192.0.2.1, unknown"], nil), (["192.0.2.1, unknown, 10.0.0.1"], "10.0.0.1"),
      (["192.0.2.1, 10.0.0.1, garbage"], nil), (["192.0.2.1:"], nil), (["192.0.2.1:99999"], nil),
      (["192.0.2.1:80:80"], nil),
      (["[192.0.2.1]"], nil), (["[::1"], nil), (["[::1]x"], nil), (["[::1]:x"], nil), (["[]"], nil), (["[]:1"], nil),
      (["::1:x"], nil),
      (["\"192.0.2.1\""], nil), (["192.0.2.1 10.0.0.1"], nil), ([":80"], nil), ([":"], nil),
    ] as [([String], String?)])
  func `the client is the last hop that is no proxy`(lines: [String], expected: String?) throws {
    #expect(try Self.client(lines) == expected)
  }

  @Test func `a chain is followed so far and no further`() throws {
    let chain = ["192.0.2.1"] + (1...15).map { "10.0.0.\($0)" }
    #expect(try Self.client([chain.joined(separator: ",")]) == "192.0.2.1")
    let longer = ["192.0.2.1", "10.1.1.1"] + chain.dropFirst()
    #expect(try Self.client([longer.joined(separator: ",")]) == "10.1.1.1")
  }

  @Test func `other headers say nothing`() throws {
    let request = try #require(
      try parse("GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\n\r\n"))
    let client = unsafe request.head.forwardedClient(in: request.bytes.span.bytes, proxies: [])
    #expect(client == nil)
  }
}
