/// Names one connection of this node: shard (8 bits), generation (24 bits) and slot (32 bits) of its place there.
public struct ConnectionID: Hashable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public init(shard: UInt8, generation: UInt32, slot: UInt32) {
    precondition(generation <= 0xFF_FFFF)
    rawValue = UInt64(shard) << 56 | UInt64(generation) << 32 | UInt64(slot)
  }

  public var shard: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 56) }
  public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) & 0xFF_FFFF }
  public var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
