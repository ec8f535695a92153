import Buffers

/// What a measured message carries in its text: when it was sent, by whom, and the how-manieth it is.
///
/// `~T` + 16 + 8 + 8 letters + `~`; each letter `a`...`p` holds four bits, so any JSON writer leaves it alone.
public struct Marker: Equatable, Sendable {
  /// Nanoseconds of the monotonic clock.
  public var time: UInt64
  /// 1, 2, 3 … of its sender.
  public var sequence: UInt32
  public var sender: UInt32

  public static let byteCount = 35

  public init(time: UInt64, sequence: UInt32, sender: UInt32) {
    (self.time, self.sequence, self.sender) = (time, sequence, sender)
  }

  /// Writes the marker over `bytes` from `offset` on.
  public func write(over bytes: inout [UInt8], at offset: Int) {
    bytes[offset] = UInt8(ascii: "~")
    bytes[offset + 1] = UInt8(ascii: "T")
    Self.write(time, letters: 16, over: &bytes, at: offset + 2)
    Self.write(UInt64(sequence), letters: 8, over: &bytes, at: offset + 18)
    Self.write(UInt64(sender), letters: 8, over: &bytes, at: offset + 26)
    bytes[offset + 34] = UInt8(ascii: "~")
  }

  /// The marker at `offset`; `nil` when there is none.
  public init?(in bytes: borrowing RawSpan, at offset: Int) {
    guard offset + Self.byteCount <= bytes.byteCount, bytes.bigEndian16(at: offset) == Self.beginning,
      bytes.byte(at: offset + 34) == UInt8(ascii: "~")
    else { return nil }
    time = Self.number(bytes, offset + 2) << 32 | Self.number(bytes, offset + 10)
    sequence = UInt32(truncatingIfNeeded: Self.number(bytes, offset + 18))
    sender = UInt32(truncatingIfNeeded: Self.number(bytes, offset + 26))
  }

  /// Where the first marker begins.
  public static func find(in bytes: borrowing RawSpan) -> Int? {
    guard bytes.byteCount >= byteCount else { return nil }
    for offset in 0...bytes.byteCount - byteCount where bytes.bigEndian16(at: offset) == beginning { return offset }
    return nil
  }

  private static let beginning: UInt16 = 0x7E54

  private static func write(_ number: UInt64, letters: Int, over bytes: inout [UInt8], at offset: Int) {
    for index in 0..<letters {
      let shift = UInt64(4 * (letters - 1 - index))
      bytes[offset + index] = UInt8(ascii: "a") + UInt8(truncatingIfNeeded: number >> shift & 15)
    }
  }

  /// Eight letters at once: every step joins neighbours.
  private static func number(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt64 {
    var word = bytes.bigEndian64(at: offset) &- 0x6161_6161_6161_6161
    word = (word | word >> 4) & 0x00FF_00FF_00FF_00FF
    word = (word | word >> 8) & 0x0000_FFFF_0000_FFFF
    return (word | word >> 16) & 0xFFFF_FFFF
  }
}
