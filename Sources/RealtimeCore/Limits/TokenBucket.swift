/// How fast something may go: so many at once, and one more per interval.
public struct Rate: Equatable, Sendable {
  /// What may happen at once, 1 or more.
  public let burst: Int
  /// Nanoseconds until one more is allowed.
  public let interval: Int64

  /// The burst's worth of intervals must fit in 100 years.
  public init(burst: Int, nanosecondsPerToken interval: Int64) {
    precondition(burst > 0 && interval > 0 && Int64(burst) <= 3_153_600_000_000_000_000 / interval)
    self.burst = burst
    self.interval = interval
  }

  public init(burst: Int, perSecond: Int) {
    self.init(burst: burst, nanosecondsPerToken: 1_000_000_000 / Int64(perSecond))
  }

  /// How long an empty bucket takes to fill.
  var fillTime: Int64 { Int64(burst) * interval }
}

/// A bucket of tokens that refills without steps and without losing fractions.
///
/// It stores one moment, when it will be full again: each taken token moves that moment one interval further, and
/// the bucket is empty when it lies a whole filling ahead. So there is nothing to round and nothing to tick.
/// The times are nanoseconds of any clock; one that steps back costs a client one filling at most.
public struct TokenBucket: Equatable, Sendable {
  public enum Answer: Equatable, Sendable {
    case allowed
    /// The next token is there after so many milliseconds, 1 or more.
    case refused(retryAfterMilliseconds: Int)
  }

  private var fullAt = Int64.min

  /// A full bucket.
  public init() {}

  public mutating func take(at now: Int64, rate: Rate) -> Answer {
    // The clock went back if this lies more than one filling ahead.
    let start = min(max(fullAt, now), now + rate.fillTime)
    let wait = start + rate.interval - (now + rate.fillTime)
    guard wait <= 0 else { return .refused(retryAfterMilliseconds: Int((wait + 999_999) / 1_000_000)) }
    fullAt = start + rate.interval
    return .allowed
  }

  /// A full bucket says nothing: it may be forgotten.
  public func isFull(at now: Int64) -> Bool { fullAt <= now }
}
