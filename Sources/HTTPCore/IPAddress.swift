/// An IPv4 or IPv6 address as a number.
///
/// IPv4 is kept as IPv6 maps it (`::ffff:a.b.c.d`, RFC 4291 section 2.5.5.2), so both spellings of one address are
/// equal, whichever of them a socket, a header or an operator uses.
public struct IPAddress: Hashable, Sendable {
  /// The first 64 of the 128 bits.
  public let high: UInt64
  /// The other 64.
  public let low: UInt64

  public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

  /// - Parameter v4: the 32 bits of an IPv4 address, `10.0.0.1` being `0x0A00_0001`.
  public init(v4: UInt32) { self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(v4)) }

  public var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// What one client is given at least: an IPv4 address, or the first 64 bits of an IPv6 address (RFC 6177: whoever
  /// has one IPv6 address has 2^64 of them, and limits per address must not be multiplied by that).
  public var household: IPAddress { isV4 ? self : IPAddress(high: high, low: 0) }

  /// The address without all bits but the first `prefix` (0...128).
  func masked(_ prefix: Int) -> IPAddress {
    IPAddress(
      high: prefix >= 64 ? high : high & ~(UInt64.max >> UInt64(prefix)),
      low: prefix <= 64 ? 0 : low & ~(prefix == 128 ? 0 : UInt64.max >> UInt64(prefix - 64)))
  }
}

extension IPAddress: CustomStringConvertible {
  /// As RFC 5952 writes it.
  public var description: String {
    guard !isV4 else {
      return [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: low >> $0)) }.joined(separator: ".")
    }
    let groups = [high, low].flatMap { half in
      [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) }
    }
    let words = groups.map { String($0, radix: 16) }
    guard let gap = Self.longestGap(groups) else { return words.joined(separator: ":") }
    return words[..<gap.lowerBound].joined(separator: ":") + "::" + words[gap.upperBound...].joined(separator: ":")
  }

  /// The first of the longest runs of two or more zeros.
  private static func longestGap(_ groups: [UInt16]) -> Range<Int>? {
    var longest = 0..<1
    var start = 0
    for end in 1...groups.count where end == groups.count || groups[end] != 0 || groups[end - 1] != 0 {
      if groups[end - 1] == 0, end - start > longest.count { longest = start..<end }
      if end < groups.count { start = end }
    }
    return longest.count > 1 ? longest : nil
  }
}
