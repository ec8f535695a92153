// The only unsafe loads of the codec. All of them check their bounds first, so a wrong index stops the process
// instead of reading a neighbour's memory. The span's own checked loads do the same with three comparisons each.

extension RawSpan {
  /// The byte at `index`.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: byteCount))
    return unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
  }

  /// The byte at `index`, or 0 behind the end.
  @inline(__always)
  func byteOrZero(_ index: Int) -> UInt8 {
    guard UInt(bitPattern: index) < UInt(bitPattern: byteCount) else { return 0 }
    return unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
  }

  /// Eight bytes from `index` on, the first one lowest.
  @inline(__always)
  func word(_ index: Int) -> UInt64 {
    precondition(index >= 0 && index <= byteCount &- 8)
    return UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
  }

  /// Whether the bytes in `range` are those of `text`.
  @inline(__always)
  func holds(_ text: StaticString, at range: Range<Int>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount)
    // No way out of the loop and no check inside, so that it becomes a few wide comparisons.
    var difference: UInt8 = 0
    for index in 0..<text.utf8CodeUnitCount {
      let byte = unsafe unsafeLoad(fromUncheckedByteOffset: range.lowerBound &+ index, as: UInt8.self)
      difference |= unsafe byte ^ text.utf8Start[index]
    }
    return difference == 0
  }

  /// The bytes in `range` as text; what is not UTF-8 is replaced.
  func text(_ range: Range<Int>) -> String {
    unsafe extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// A copy of the bytes in `range`.
  func array(_ range: Range<Int>) -> [UInt8] {
    unsafe extracting(range).withUnsafeBytes { unsafe Array($0) }
  }
}
