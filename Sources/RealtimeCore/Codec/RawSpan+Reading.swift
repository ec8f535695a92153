// The only unsafe loads of the codec. All of them check their bounds, so a wrong index stops the process
// instead of reading a neighbour's memory.

extension RawSpan {
  /// The byte at `index`.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) }

  /// Eight bytes from `index` on, the first one lowest.
  @inline(__always)
  func word(_ index: Int) -> UInt64 {
    UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
  }

  /// Whether the bytes in `range` are those of `text`.
  @inline(__always)
  func holds(_ text: StaticString, at range: Range<Int>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    for index in 0..<range.count where unsafe byte(range.lowerBound &+ index) != text.utf8Start[index] { return false }
    return true
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
