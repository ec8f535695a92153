import Testing

@testable import Tokens

@Suite struct JSONParserTests {
  static func value(_ text: String) -> JSONValue? { JSONParser.object(Array(#"{"v":\#(text)}"#.utf8))?["v"] }

  @Test(arguments: [
    (#""""#, JSONValue.string("")), (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{C}\n\r\t")),
    (#""\u0041\u00e4\uD83D\uDE00""#, .string("Aä😀")), (#""ä😀""#, .string("ä😀")), ("true", .bool(true)),
    (" false ", .bool(false)), ("-0.5E+10", .number("-0.5E+10")), ("0", .number("0")),
    ("[ 1 , [ ] ,{}]", .array([.number("1"), .array([]), .object(JSONObject())])),
  ])
  func `values`(text: String, value: JSONValue) { #expect(Self.value(text) == value) }

  @Test(arguments: [
    "", "tru", "True", "nul", "01", "-", "1.", ".5", "+1", "1e", "0x1", "NaN", "\"", #""\x""#, #""\u12""#, #""\u+123""#,
    #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, #""\ud800\ud800""#, "\"\n\"", "[1,]", "[1 2]", "[", "{,}",
    "{\"a\"}",
    "{\"a\":1,}", "{a:1}", "{\"a\":1,\"a\":1}", "1 2", "'a'", "[[[[[[[[1]]]]]]]]", "\"\\", "/**/1",
  ])
  func `refused`(text: String) { #expect(JSONParser.object(Array(#"{"v":\#(text)}"#.utf8)) == nil) }

  @Test func `broken UTF-8 is refused`() {
    for bad in [[0xC0, 0x80], [0xFF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]] {
      #expect(JSONParser.object(Array("{\"v\":\"".utf8) + bad + Array("\"}".utf8)) == nil)
    }
  }

  @Test func `depth and members are bounded`() {
    #expect(JSONParser.object(Array(String(repeating: "[", count: 100_000).utf8)) == nil)
    let members = { (count: Int) in
      Array("{\((0..<count).map { "\"\($0)\":0" }.joined(separator: ","))}".utf8)
    }
    #expect(JSONParser.object(members(64)) != nil && JSONParser.object(members(65)) == nil)
  }
}

@Suite struct Base64URLTests {
  static func decode(_ text: String) -> [UInt8]? {
    unsafe Base64URL.decode(0..<text.utf8.count, of: Array(text.utf8).span.bytes)
  }

  @Test(arguments: 0..<70)
  func `what is encoded can be decoded`(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
    #expect(Self.decode(Base64URL.encode(bytes)) == bytes)
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("?>", "Pz4"),
    ("foobar", "Zm9vYmFy"), ("~~?", "fn4_"),
  ])
  func `the vectors of RFC 4648`(text: String, encoded: String) {
    #expect(Base64URL.encode(Array(text.utf8)) == encoded && Self.decode(encoded) == Array(text.utf8))
  }

  @Test(arguments: ["Zg==", "Zh", "Zm9", "Z", "Zm9vY", "a+b/", "Zm 9", "Zg\n", "ä"])
  func `other spellings are refused`(text: String) { #expect(Self.decode(text) == nil) }
}
