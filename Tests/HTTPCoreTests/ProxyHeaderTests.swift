import HTTPCore
import RoostTesting
import Testing

/// The PROXY protocol, versions 1 and 2.
@Suite struct ProxyHeaderTests {
  enum Outcome: Equatable {
    case incomplete
    case header(String?, byteCount: Int)
    case refused(ProxyHeaderError)
  }

  static func outcome(_ bytes: [UInt8]) -> Outcome {
    do {
      guard let header = unsafe try ProxyHeader.parse(bytes.span.bytes) else { return .incomplete }
      return .header(header.source?.description, byteCount: header.byteCount)
    } catch {
      return .refused(error)
    }
  }

  /// What comes of the bytes one after the other: a header is there with its last byte, and not before.
  static func outcomeByteByByte(_ bytes: [UInt8]) -> Outcome {
    for end in 0...bytes.count {
      let outcome = outcome(Array(bytes[..<end]))
      if outcome != .incomplete { return outcome }
    }
    return .incomplete
  }

  static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

  static func binary(_ body: [UInt8], claims length: Int? = nil) -> [UInt8] {
    binary(0x21, 0x11, body, claims: length)
  }

  static func binary(_ command: UInt8, _ family: UInt8, _ body: [UInt8], claims length: Int? = nil) -> [UInt8] {
    let length = length ?? body.count
    return signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + body
  }

  static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x34, 0, 80]
  static let v6: [UInt8] =
    [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 9, count: 16) + [1, 2, 3, 4]

  @Test(
    arguments: [
      ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1"),
      ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
      ("PROXY TCP6 2001:db8::7 ::1 1 0\r\n", "2001:db8::7"),
      ("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:10.0.0.1 1 2\r\n", "192.0.2.1"),
      ("PROXY UNKNOWN\r\n", nil), ("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", nil),
      ("PROXY UNKNOWN x y\r\n", nil),
    ] as [(String, String?)])
  func `lines of version 1`(line: String, source: String?) {
    let bytes = Array(line.utf8)
    #expect(Self.outcome(bytes) == .header(source, byteCount: bytes.count))
    #expect(Self.outcome(bytes + Array("GET / HTTP/1.1\r\n".utf8)) == .header(source, byteCount: bytes.count))
    #expect(Self.outcomeByteByByte(bytes) == .header(source, byteCount: bytes.count))
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\n", "P GET", "proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", "PROXYTCP4",
    "PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n",
    "PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 -1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n", "PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n",
    "PROXY TCP4 ::1 ::2 1 1\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY TCP6 ::1 1.2.3.4 1 1\r\n",
    "PROXY TCP4 1.2.3.4 ::1 1 1\r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n", "PROXY TCP4\r\n", "PROXY \r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\r\n", "PROXY UNKNOWN\rX",
    "PROXY UNKNOWNS\r\n",
  ])
  func `broken lines are refused`(line: String) {
    #expect(Self.outcome(Array(line.utf8)) == .refused(.malformed))
    #expect(Self.outcomeByteByByte(Array(line.utf8)) == .refused(.malformed))
  }

  @Test func `a line has 107 bytes at most`() {
    let longest = "PROXY UNKNOWN " + String(repeating: "x", count: 107 - 16) + "\r\n"
    #expect(Self.outcome(Array(longest.utf8)) == .header(nil, byteCount: 107))
    let tooLong = Array(("PROXY UNKNOWN " + String(repeating: "x", count: 107 - 15) + "\r\n").utf8)
    #expect(Self.outcome(tooLong) == .refused(.tooLong))
    #expect(Self.outcomeByteByByte(tooLong) == .refused(.tooLong))
    #expect(Self.outcome(Array(("PROXY " + String(repeating: "x", count: 100_000)).utf8)) == .refused(.tooLong))
  }

  @Test(
    arguments: [
      (binary(v4), "192.0.2.1"), (binary(0x21, 0x21, v6), "2001:db8::7"),
      (binary(v4 + [0x04, 0, 2, 0, 0]), "192.0.2.1"), (binary(v4 + [0xEE, 0xFF, 0xFF]), "192.0.2.1"),
      (binary(v4 + [UInt8](repeating: 7, count: 4_096 - 28)), "192.0.2.1"), (binary(0x20, 0x00, []), nil),
      (binary(0x20, 0x11, v4), nil), (binary(0x20, 0xFF, [1, 2, 3]), nil), (binary(0x21, 0x00, []), nil),
      (binary(0x21, 0x00, [1, 2, 3]), nil), (binary(0x21, 0x31, [UInt8](repeating: 0x2F, count: 216)), nil),
    ] as [([UInt8], String?)])
  func `headers of version 2`(bytes: [UInt8], source: String?) {
    #expect(Self.outcome(bytes) == .header(source, byteCount: bytes.count))
    #expect(Self.outcome(bytes + [0x16, 3, 1]) == .header(source, byteCount: bytes.count))
    #expect(Self.outcomeByteByByte(bytes) == .header(source, byteCount: bytes.count))
  }

  @Test(arguments: [
    Array(signature.dropLast()) + [0], [0x0D, 0x0A, 0x0D, 0x0B], [0], [0x16, 3, 1], binary(0x22, 0x11, v4),
    binary(0x11, 0x11, v4), binary(0x31, 0x11, v4), binary(0x21, 0x12, v4), binary(0x21, 0x22, v6),
    binary(0x21, 0x41, v4), binary(0x21, 0x11, Array(v4.dropLast())), binary(0x21, 0x21, Array(v6.dropLast())),
    binary(0x21, 0x31, [UInt8](repeating: 0, count: 215)),
  ])
  func `broken headers are refused`(bytes: [UInt8]) {
    #expect(Self.outcome(bytes) == .refused(.malformed))
    #expect(Self.outcomeByteByByte(bytes) == .refused(.malformed))
  }

  @Test func `a length beyond the limit is refused before anything of it comes`() {
    #expect(Self.outcome(Self.binary([], claims: 4_096 - 15)) == .refused(.tooLong))
    #expect(Self.outcome(Self.binary([], claims: 0xFFFF)) == .refused(.tooLong))
    #expect(Self.outcome(Self.binary([], claims: 4_096 - 16)) == .incomplete)
  }

  @Test(arguments: 0..<500 as Range<UInt64>)
  func `damaged headers get one answer however they come`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let good = [
      Self.binary(Self.v4), Self.binary(0x21, 0x21, Self.v6), Array("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n".utf8),
    ]
    var bytes = good.randomElement(using: &generator)!
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
    }
    #expect(Self.outcomeByteByByte(bytes) == Self.outcome(bytes))
  }
}
