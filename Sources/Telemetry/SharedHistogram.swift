import Synchronization

/// A histogram that one thread fills and any may read, without a lock or a locked instruction: for what happens once a
/// turn of a loop, or less often.
///
/// A reader that comes in the middle of a count may see it in the buckets and not yet in the sum.
public final class SharedHistogram: Sendable {
  /// Upper bounds, inclusive and rising, as whole numbers of a small unit.
  private let bounds: [Int]
  /// How many of these small units make one of the metric's.
  private let scale: Double
  private let counts = InlineArray<24, Atomic<Int>> { _ in Atomic(0) }
  private let sum = Atomic<Int>(0)

  /// For durations in nanoseconds, told in seconds: 100 µs to 10 s.
  public static var durations: SharedHistogram {
    SharedHistogram(bounds: Histogram.secondsBounds.map { Int(($0 * 1e9).rounded()) }, scale: 1e9)
  }

  public init(bounds: [Int], scale: Double = 1) {
    precondition(bounds.count < 24, "a shared histogram has 24 places")
    precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds must rise")
    (self.bounds, self.scale) = (bounds, scale)
  }

  /// Counts `value`. From one thread at a time.
  public func observe(_ value: Int) {
    var place = 0
    while place < bounds.count, value > bounds[place] { place += 1 }
    counts[place].store(counts[place].load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    sum.store(sum.load(ordering: .relaxed) &+ value, ordering: .relaxed)
  }

  /// What was counted so far. From any thread.
  public var snapshot: Histogram {
    let all = (0...bounds.count).map { UInt64(counts[$0].load(ordering: .relaxed)) }
    return Histogram(
      bounds: bounds.map { Double($0) / scale }, counts: all, sum: Double(sum.load(ordering: .relaxed)) / scale)
  }
}
