/// How long things took, within 1.6 %: 64 buckets for each power of two of nanoseconds.
public struct LatencyHistogram: Sendable {
  private var counts = [UInt64](repeating: 0, count: 64 * 42)
  public private(set) var count: UInt64 = 0
  /// Exact, in nanoseconds.
  public private(set) var maximum: UInt64 = 0

  public init() {}

  public mutating func add(_ nanoseconds: UInt64) {
    counts[min(Self.bucket(nanoseconds), counts.count - 1)] &+= 1
    count &+= 1
    maximum = max(maximum, nanoseconds)
  }

  /// The time, in microseconds, that `share` (0...1) of all values do not exceed; 0 when there are none.
  public func microseconds(at share: Double) -> Double {
    guard count > 0 else { return 0 }
    let rank = min(count - 1, UInt64(share * Double(count)))
    var seen: UInt64 = 0
    for (bucket, count) in counts.enumerated() {
      seen += count
      if seen > rank { return Double(min(Self.middle(of: bucket), maximum)) / 1_000 }
    }
    return Double(maximum) / 1_000
  }

  private static func bucket(_ value: UInt64) -> Int {
    guard value >= 64 else { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    return (exponent - 5) * 64 + Int(value >> UInt64(exponent - 6) & 63)
  }

  private static func middle(of bucket: Int) -> UInt64 {
    guard bucket >= 64 else { return UInt64(bucket) }
    let exponent = bucket / 64 + 5
    let width: UInt64 = 1 << UInt64(exponent - 6)
    return 1 << UInt64(exponent) + UInt64(bucket % 64) * width + width / 2
  }
}
