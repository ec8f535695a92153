/// A string in JSON text: where its contents are, without the quotes.
///
/// Whoever holds one knows that the contents are valid UTF-8 with valid escapes and whole surrogate pairs.
public struct JSONString: Equatable, Sendable {
  /// The bytes between the quotes, escapes as they were written.
  public let contents: Range<Int>
  /// Whether there is a backslash in the contents, so that they differ from what they mean.
  public let isEscaped: Bool

  /// The string value that covers `value` in valid JSON; `nil` when it is another kind of value.
  public init?(value: Range<Int>, in bytes: RawSpan) {
    guard let contents = Self.contents(ofValue: value, in: bytes) else { return nil }
    self.init(contents: contents, in: bytes)
  }

  /// What stands between the quotes of a string value; `nil` when it is another kind of value.
  static func contents(ofValue value: Range<Int>, in bytes: RawSpan) -> Range<Int>? {
    guard bytes.byte(value.lowerBound) == UInt8(ascii: "\"") else { return nil }
    return value.lowerBound + 1..<value.upperBound - 1
  }

  /// The string with these contents, which were scanned before.
  public init(contents: Range<Int>, in bytes: RawSpan) {
    self.contents = contents
    var index = Self.skipPlain(bytes, from: contents.lowerBound)
    while index < contents.upperBound, bytes.byte(index) != UInt8(ascii: "\\") {
      index = Self.skipPlain(bytes, from: index &+ 1)
    }
    isEscaped = index < contents.upperBound
  }

  /// Reads from behind the opening quote at `start` to the closing one.
  @inline(__always)
  init(scanning bytes: RawSpan, from start: Int) throws(JSONProblem) {
    var index = start
    var isEscaped = false
    while true {
      index = Self.skipPlain(bytes, from: index)
      guard index < bytes.byteCount else { throw .malformed }
      let byte = bytes.byte(index)
      switch byte {
      case UInt8(ascii: "\""):
        contents = start..<index
        self.isEscaped = isEscaped
        return
      case UInt8(ascii: "\\"):
        isEscaped = true
        index = try Self.escapeEnd(bytes, from: index)
      case 0..<0x20: throw .malformed
      case 0x20..<0x80: index &+= 1
      default: index = try Self.scalarEnd(bytes, from: index)
      }
    }
  }

  /// Passes plain ASCII, eight bytes at a time. Stops at a byte that needs a look, or less than eight from the end.
  @inline(__always)
  static func skipPlain(_ bytes: RawSpan, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var index = start
    while index &+ 8 <= bytes.byteCount {
      let word = bytes.word(index)
      let quotes = word ^ (ones &* 0x22)
      let backslashes = word ^ (ones &* 0x5C)
      // A byte's high bit gets set when it is a quote, a backslash, below 0x20 or not ASCII. A borrow can only set
      // bits above a true hit, so the lowest one is exact.
      let hits = (quotes &- ones) | (backslashes &- ones) | (word &- ones &* 0x20) | word
      let found = hits & (ones &* 0x80)
      guard found == 0 else { return index &+ found.trailingZeroBitCount &>> 3 }
      index &+= 8
    }
    return index
  }

  /// Where the escape that starts with the backslash at `start` ends (RFC 8259, section 7).
  @inline(never)
  private static func escapeEnd(_ bytes: RawSpan, from start: Int) throws(JSONProblem) -> Int {
    guard start + 1 < bytes.byteCount else { throw .malformed }
    switch bytes.byte(start + 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start + 2
    case UInt8(ascii: "u"):
      switch try hexUnit(bytes, at: start + 2) {
      case 0xD800..<0xDC00:
        guard start + 8 <= bytes.byteCount, bytes.holds(#"\u"#, at: start + 6..<start + 8),
          case 0xDC00..<0xE000 = try hexUnit(bytes, at: start + 8)
        else { throw .malformed }
        return start + 12
      case 0xDC00..<0xE000: throw .malformed
      default: return start + 6
      }
    default: throw .malformed
    }
  }

  /// Where the UTF-8 sequence that starts at `start` ends (Unicode 16, table 3-7).
  @inline(never)
  private static func scalarEnd(_ bytes: RawSpan, from start: Int) throws(JSONProblem) -> Int {
    let (length, second): (Int, ClosedRange<UInt8>) =
      switch bytes.byte(start) {
      case 0xC2...0xDF: (2, 0x80...0xBF)
      case 0xE0: (3, 0xA0...0xBF)
      case 0xED: (3, 0x80...0x9F)
      case 0xE1...0xEF: (3, 0x80...0xBF)
      case 0xF0: (4, 0x90...0xBF)
      case 0xF1...0xF3: (4, 0x80...0xBF)
      case 0xF4: (4, 0x80...0x8F)
      default: throw .malformed
      }
    let end = start &+ length
    guard end <= bytes.byteCount, second.contains(bytes.byte(start &+ 1)) else { throw .malformed }
    var index = start &+ 2
    while index < end {
      guard bytes.byte(index) & 0xC0 == 0x80 else { throw .malformed }
      index &+= 1
    }
    return end
  }

  private static func hexUnit(_ bytes: RawSpan, at start: Int) throws(JSONProblem) -> UInt32 {
    guard start + 4 <= bytes.byteCount else { throw .malformed }
    var unit: UInt32 = 0
    for index in start..<start + 4 {
      guard let digit = hexDigit(bytes.byte(index)) else { throw .malformed }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// The value of one hexadecimal digit, upper or lower case.
  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
