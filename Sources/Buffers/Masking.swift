/// XORs `range` of `bytes` with the repeated four bytes of `key` (RFC 6455, section 5.3), in place.
///
/// - Parameters:
///   - key: The key as it stands on the wire, its first byte lowest (``Swift/RawSpan/littleEndian32(at:)``).
///   - range: Must lie within `bytes`. Its first byte meets the key's first byte, wherever it lies.
/// - Returns: The key turned to the byte after `range`, so that a payload which arrives in pieces goes on there.
@discardableResult
public func applyMask(_ key: UInt32, to bytes: inout MutableRawSpan, in range: Range<Int>) -> UInt32 {
  precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount)
  unsafe bytes.withUnsafeMutableBytes { unsafe mask($0, key, range) }
  let turn = UInt32(truncatingIfNeeded: range.count & 3) * 8
  return key >> turn | key << (32 - turn)
}

/// Thirty-two bytes a step, then eight, four, one.
private func mask(_ bytes: UnsafeMutableRawBufferPointer, _ key: UInt32, _ range: Range<Int>) {
  guard let base = bytes.baseAddress else { return }
  let wideKey = (UInt64(key) << 32 | UInt64(key)).littleEndian
  let wholeKey = SIMD4<UInt64>(repeating: wideKey)
  var place = range.lowerBound
  while place &+ 32 <= range.upperBound {
    let words = unsafe base.loadUnaligned(fromByteOffset: place, as: SIMD4<UInt64>.self)
    unsafe base.storeBytes(of: words ^ wholeKey, toByteOffset: place, as: SIMD4<UInt64>.self)
    place &+= 32
  }
  while place &+ 8 <= range.upperBound {
    let word = unsafe base.loadUnaligned(fromByteOffset: place, as: UInt64.self)
    unsafe base.storeBytes(of: word ^ wideKey, toByteOffset: place, as: UInt64.self)
    place &+= 8
  }
  if place &+ 4 <= range.upperBound {
    let word = unsafe base.loadUnaligned(fromByteOffset: place, as: UInt32.self)
    unsafe base.storeBytes(of: word ^ key.littleEndian, toByteOffset: place, as: UInt32.self)
    place &+= 4
  }
  var rest = key
  while place < range.upperBound {
    let byte = unsafe base.load(fromByteOffset: place, as: UInt8.self)
    unsafe base.storeBytes(of: byte ^ UInt8(truncatingIfNeeded: rest), toByteOffset: place, as: UInt8.self)
    rest >>= 8
    place &+= 1
  }
}
