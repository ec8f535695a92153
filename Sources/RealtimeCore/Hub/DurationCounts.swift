/// How often something took how long, by classes of duration. Of fixed size: neither counting nor copying takes memory.
public struct DurationCounts: Sendable {
  /// Upper bounds of the classes, inclusive, in nanoseconds: 100 µs to 10 s. Above the last comes everything else.
  public static let bounds: [Int64] = [
    100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
    250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
  ]

  /// How many fell into each class; one more than ``bounds``.
  public private(set) var counts = InlineArray<17, Int>(repeating: 0)
  /// All of them together, in nanoseconds.
  public private(set) var sum: Int64 = 0

  public init() {}

  public var total: Int { counts.indices.reduce(0) { $0 + counts[$1] } }

  /// Counts one; a negative duration, of a clock that was read too late, is none at all.
  public mutating func observe(nanoseconds: Int64) {
    let duration = max(0, nanoseconds)
    var place = 0
    while place < Self.bounds.count, duration > Self.bounds[place] { place += 1 }
    counts[place] &+= 1
    sum &+= duration
  }

  /// Counts in what another counted.
  public mutating func add(_ other: DurationCounts) {
    for place in counts.indices { counts[place] &+= other.counts[place] }
    sum &+= other.sum
  }
}

extension DurationCounts: Equatable {
  public static func == (one: Self, other: Self) -> Bool {
    one.sum == other.sum && one.counts.indices.allSatisfy { one.counts[$0] == other.counts[$0] }
  }
}
