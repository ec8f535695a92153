/// How often values fell between fixed bounds. Plain: its shard adds to it, a scrape copies and merges.
public struct Histogram: Equatable, Sendable {
  /// Upper bounds, inclusive and rising, in the metric's unit. Above the last comes everything else.
  public let bounds: [Double]
  /// Values per bucket; one more than ``bounds``.
  public private(set) var counts: [UInt64]
  public private(set) var sum = 0.0

  /// For durations: 100 µs to 10 s, in seconds.
  public static let secondsBounds = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  public init(bounds: [Double] = secondsBounds) {
    precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds must rise")
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  /// What somebody else counted.
  public init(bounds: [Double], counts: [UInt64], sum: Double) {
    self.init(bounds: bounds)
    precondition(counts.count == bounds.count + 1, "one bucket more than bounds")
    (self.counts, self.sum) = (counts, sum)
  }

  /// How many values were counted.
  public var count: UInt64 { counts.reduce(0, &+) }

  /// The least bound that `share` (0...1) of the values do not exceed; the last bound when they lie above it, and 0
  /// when nothing was counted.
  public func bound(ofShare share: Double) -> Double {
    var left = share * Double(count)
    guard left > 0 else { return 0 }
    for (bound, count) in zip(bounds, counts) {
      left -= Double(count)
      if left <= 0 { return bound }
    }
    return bounds[bounds.count - 1]
  }

  /// Counts `value`. Takes no memory, unless a copy of the histogram is still held.
  public mutating func observe(_ value: Double) {
    var bucket = 0
    while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
    counts[bucket] &+= 1
    sum += value
  }

  /// Adds what another shard counted with the same bounds.
  public mutating func merge(_ other: Histogram) {
    precondition(bounds == other.bounds, "only histograms with the same bounds add up")
    for bucket in counts.indices { counts[bucket] &+= other.counts[bucket] }
    sum += other.sum
  }
}
