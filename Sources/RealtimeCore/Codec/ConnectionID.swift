public import Buffers

/// One socket of this node, for as long as it is open.
///
///     63    56 55            32 31                         0
///     ┌───────┬────────────────┬────────────────────────────┐
///     │ shard │   generation   │            slot            │
///     └───────┴────────────────┴────────────────────────────┘
///
/// A slot is used again by later connections, with the next generation, so that a late message for a connection
/// that is gone finds nobody.
public struct ConnectionID: Hashable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// `generation` has 24 bits; higher ones are dropped, so a counter may simply run over.
  public init(shard: UInt8, generation: UInt32, slot: UInt32) {
    rawValue = UInt64(shard) << 56 | UInt64(generation & 0xFF_FFFF) << 32 | UInt64(slot)
  }

  public var shard: UInt8 { UInt8(rawValue >> 56) }
  public var generation: UInt32 { UInt32(rawValue >> 32 & 0xFF_FFFF) }
  public var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

  /// The id written as sixteen hexadecimal digits in `range`; `nil` when something else stands there.
  init?(_ bytes: RawSpan, hex range: Range<Int>) {
    guard range.count == 16 else { return nil }
    var value: UInt64 = 0
    for index in range {
      guard let digit = JSONString.hexDigit(bytes.byte(index)) else { return nil }
      value = value << 4 | UInt64(digit)
    }
    rawValue = value
  }

  /// Appends the id as sixteen lower-case hexadecimal digits.
  public func appendHex(to buffer: inout ByteBuffer) {
    var digits = [16 of UInt8](repeating: 0)
    var rest = rawValue
    for place in digits.indices.reversed() {
      let digit = UInt8(truncatingIfNeeded: rest & 15)
      digits[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
      rest >>= 4
    }
    buffer.append(unsafe digits.span.bytes)
  }
}
