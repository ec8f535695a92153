import Buffers
import Testing

@testable import WebSocketCore

@Suite struct HandshakeTests {
  static func key(_ text: String) -> HandshakeKey? { unsafe HandshakeKey(text.utf8Span.span.bytes) }

  /// FIPS 180-4's examples, and the lengths where padding needs one block more.
  @Test(arguments: [
    ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
    ),
    (String(repeating: "a", count: 55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
    (String(repeating: "a", count: 56), "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
    (String(repeating: "a", count: 64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
  ])
  func `SHA-1`(message: String, expected: String) {
    let hash = unsafe sha1(message.utf8Span.span.bytes)
    let hex = (0..<20).map { (hash[$0] < 16 ? "0" : "") + String(hash[$0], radix: 16) }.joined()
    #expect(hex == expected)
  }

  /// RFC 4648, section 10.
  @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
  func `base64`(plain: String, encoded: String) {
    let written = ByteBuffer.written { unsafe Base64.append(plain.utf8Span.span.bytes, to: &$0) }
    #expect(written == Array(encoded.utf8))
  }

  /// RFC 6455, section 1.3.
  @Test func `the RFC's key gets the RFC's answer`() throws {
    let key = try #require(Self.key("dGhlIHNhbXBsZSBub25jZQ=="))
    let answer = ByteBuffer.written { key.appendAccept(to: &$0) }
    #expect(answer == Array("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".utf8))
    #expect(unsafe key.isAnswered(by: answer.span.bytes))
    for wrong in ["", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="] {
      #expect(unsafe !key.isAnswered(by: wrong.utf8Span.span.bytes))
    }
  }

  @Test(arguments: [
    "", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZR==",
    "dGhlIHNhbXBsZSBub25jZQ= ", " GhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j-Q==", "dGhlIHNhbXBsZSBub25jZQAA",
    "dGhlIHNhbXBsZSBub25jZQA=", "====IHNhbXBsZSBub25jZQ==", "SGVsbG8sIHdvcmxkIQ==", "dGhlIHNhbXBsZSBub25jZé==",
  ])
  func `what does not encode sixteen bytes is no key`(text: String) {
    #expect(Self.key(text) == nil)
  }

  @Test func `a client's key is a key`() throws {
    let text = ByteBuffer.written { HandshakeKey(random: 0x6173_2065_6874, .max).append(to: &$0) }
    #expect(unsafe HandshakeKey(text.span.bytes) != nil)
    let zero = ByteBuffer.written { HandshakeKey(random: 0, 0).append(to: &$0) }
    #expect(zero == Array("AAAAAAAAAAAAAAAAAAAAAA==".utf8))
  }
}

@Suite struct SubprotocolTests {
  static func names(_ values: [String]) throws(SubprotocolOffer.Problem) -> [String] {
    var offer = SubprotocolOffer()
    for value in values { try unsafe offer.add(value.utf8Span.span.bytes) }
    return offer.names
  }

  @Test(arguments: [
    (["roost.v1"], ["roost.v1"]),
    (["roost.v1, bearer.eyJh-_.e30.c2ln"], ["roost.v1", "bearer.eyJh-_.e30.c2ln"]),
    (["a,b\t,  c "], ["a", "b", "c"]),
    (["a", "b, c"], ["a", "b", "c"]),
    (["!#$%&'*+-.^_`|~09azAZ"], ["!#$%&'*+-.^_`|~09azAZ"]),
  ])
  func `are read in order`(values: [String], names: [String]) throws {
    #expect(try Self.names(values) == names)
  }

  @Test(
    arguments: [
      ([""], .emptyName), ([" \t "], .emptyName), (["a,,b"], .emptyName), ([",a"], .emptyName), (["a,"], .emptyName),
      (["a b"], .notAToken), (["a;b"], .notAToken), (["\"a\""], .notAToken), (["a/b"], .notAToken),
      (["é"], .notAToken), (["a\0"], .notAToken), (["a=b"], .notAToken),
      (["a, b, a"], .duplicate), (["a", "a"], .duplicate),
      ([(0...16).map { "n\($0)" }.joined(separator: ",")], .tooMany),
    ] as [([String], SubprotocolOffer.Problem)])
  func `are refused`(values: [String], problem: SubprotocolOffer.Problem) {
    #expect(throws: problem) { try Self.names(values) }
  }

  @Test func `long runs of spaces are read once`() throws {
    let spaces = String(repeating: " ", count: 100_000)
    #expect(try Self.names(["a\(spaces),\(spaces)b"]) == ["a", "b"])
    #expect(throws: SubprotocolOffer.Problem.notAToken) { try Self.names(["a\(spaces)b"]) }
  }
}
