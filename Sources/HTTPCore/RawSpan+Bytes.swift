extension RawSpan {
  /// The byte at `index`; out of range is our mistake and stops the process.
  func byte(_ index: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
  }

  /// Whether the bytes in `range` are exactly `text`.
  func equals(_ text: StaticString, in range: Range<Int>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    for offset in 0..<range.count
    where byte(range.lowerBound &+ offset) != (unsafe text.utf8Start[offset]) { return false }
    return true
  }

  /// Whether the bytes in `range` are `text`, in ASCII letters of any case. `text` must be lower case.
  func matches(_ text: StaticString, in range: Range<Int>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    for offset in 0..<range.count
    where ASCII.lowercased(byte(range.lowerBound &+ offset)) != (unsafe text.utf8Start[offset]) { return false }
    return true
  }

  /// `range` without spaces and tabs at both ends (OWS, RFC 9110 section 5.6.3).
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, ASCII.isBlank(byte(start)) { start &+= 1 }
    while start < end, ASCII.isBlank(byte(end &- 1)) { end &-= 1 }
    return start..<end
  }

  /// The first place of `wanted` in `range`.
  func firstIndex(of wanted: UInt8, in range: Range<Int>) -> Int? {
    var index = range.lowerBound
    while index < range.upperBound {
      if byte(index) == wanted { return index }
      index &+= 1
    }
    return nil
  }

  /// The last place of `wanted` in `range`.
  func lastIndex(of wanted: UInt8, in range: Range<Int>) -> Int? {
    var index = range.upperBound
    while index > range.lowerBound {
      index &-= 1
      if byte(index) == wanted { return index }
    }
    return nil
  }

  func array(_ range: Range<Int>) -> [UInt8] {
    unsafe extracting(range).withUnsafeBytes { unsafe Array($0) }
  }

  /// The number in `range`: digits only, no sign, no blank; nil for anything else or more than an `Int` holds.
  func decimal(_ range: Range<Int>) -> Int? {
    guard !range.isEmpty else { return nil }
    var number = 0
    for index in range {
      let digit = byte(index) &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (tens, tooBig) = number.multipliedReportingOverflow(by: 10)
      let (sum, stillTooBig) = tens.addingReportingOverflow(Int(digit))
      guard !tooBig, !stillTooBig else { return nil }
      number = sum
    }
    return number
  }
}
