/// Base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strictly: what decodes encodes to the same text
/// again, so a token has one spelling only.
public enum Base64URL {
  /// The bytes that the characters in `range` stand for; nil for padding, blanks, the other alphabet, a length that no
  /// bytes encode to, or trailing bits that are not zero.
  static func decode(_ range: Range<Int>, of text: borrowing RawSpan) -> [UInt8]? {
    guard range.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count * 3 / 4)
    var bits: UInt32 = 0
    var bitCount = 0
    for index in range {
      let value = value(of: unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      guard value < 64 else { return nil }
      bits = bits << 6 | UInt32(value)
      bitCount &+= 6
      if bitCount >= 8 {
        bitCount &-= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
      }
    }
    guard bits & (1 << UInt32(bitCount) &- 1) == 0 else { return nil }
    return bytes
  }

  /// The text for `bytes`.
  public static func encode(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      bitCount += 8
      while bitCount >= 6 {
        bitCount -= 6
        text.append(alphabet[Int(bits >> bitCount & 63)])
      }
    }
    if bitCount > 0 { text.append(alphabet[Int(bits << (6 - bitCount) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// 0...63, or 255 for a character outside the alphabet.
  private static func value(of character: UInt8) -> UInt8 {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character &- UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character &- UInt8(ascii: "a") &+ 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character &- UInt8(ascii: "0") &+ 52
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: 255
    }
  }
}
