/// Numbers in JSON text (RFC 8259, section 6).
enum JSONNumber {
  /// Where the number that starts at `start` ends. Its size is not looked at: we pass numbers on as text.
  static func end(_ bytes: RawSpan, from start: Int) throws(JSONProblem) -> Int {
    var index = start
    if bytes.byteOrZero(index) == UInt8(ascii: "-") { index &+= 1 }
    if bytes.byteOrZero(index) == UInt8(ascii: "0") { index &+= 1 } else { index = try digits(bytes, from: index) }
    if bytes.byteOrZero(index) == UInt8(ascii: ".") { index = try digits(bytes, from: index &+ 1) }
    if bytes.byteOrZero(index) | 0x20 == UInt8(ascii: "e") {
      index &+= 1
      if bytes.byteOrZero(index) == UInt8(ascii: "+") || bytes.byteOrZero(index) == UInt8(ascii: "-") { index &+= 1 }
      index = try digits(bytes, from: index)
    }
    return index
  }

  /// The integer written in `range`, a valid JSON value. `nil` when it is something else or beyond 64 bits;
  /// `1.0` and `1e3` count as something else, and so does `-0`, which has no canonical text.
  static func integer(_ bytes: RawSpan, _ range: Range<Int>) -> Int? {
    guard range.count <= 20 else { return nil }
    let isNegative = bytes.byte(range.lowerBound) == UInt8(ascii: "-")
    var number = 0
    for index in range.lowerBound &+ (isNegative ? 1 : 0)..<range.upperBound {
      guard isDigit(bytes.byte(index)) else { return nil }
      let digit = Int(bytes.byte(index) &- UInt8(ascii: "0"))
      let (tens, first) = number.multipliedReportingOverflow(by: 10)
      let (next, second) =
        isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
      guard !first, !second else { return nil }
      number = next
    }
    return isNegative && number == 0 ? nil : number
  }

  /// Whether `text` is an integer just as ``integer(_:_:)`` would read it back: the canonical decimal form.
  static func isInteger(_ text: String) -> Bool {
    guard text.utf8.count <= 20, let number = Int(text) else { return false }
    return String(number) == text
  }

  private static func digits(_ bytes: RawSpan, from start: Int) throws(JSONProblem) -> Int {
    var index = start
    while isDigit(bytes.byteOrZero(index)) { index &+= 1 }
    guard index > start else { throw .malformed }
    return index
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
