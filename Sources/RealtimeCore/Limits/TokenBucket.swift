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

  public init(burst: Int, perMinute: Int) {
    self.init(burst: burst, nanosecondsPerToken: 60_000_000_000 / Int64(perMinute))
  }

  /// How long an empty bucket takes to fill.
  var fillTime: Int64 { Int64(burst) * interval }

  /// The rate at which refusals are put up with: for three bursts, at the same pace.
  var forbearance: Rate { Rate(burst: 3 * burst, nanosecondsPerToken: interval) }
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
    if let wait = wait(at: now, rate: rate) { return .refused(retryAfterMilliseconds: wait) }
    fullAt = start(now, rate) + rate.interval
    return .allowed
  }

  /// Milliseconds until there is a token, 1 or more; `nil`: there is one now.
  public func wait(at now: Int64, rate: Rate) -> Int? {
    let wait = start(now, rate) + rate.interval - (now + rate.fillTime)
    return wait <= 0 ? nil : Int((wait + 999_999) / 1_000_000)
  }

  /// When the bucket will be full by what was taken so far. Beyond one filling ahead the clock went back.
  private func start(_ now: Int64, _ rate: Rate) -> Int64 { min(max(fullAt, now), now + rate.fillTime) }

  /// Whether there are more tokens in this bucket than in `other`, filled at the same rate.
  func isFuller(than other: Self) -> Bool { fullAt < other.fullAt }

  /// A full bucket says nothing: it may be forgotten.
  public func isFull(at now: Int64) -> Bool { fullAt <= now }
}
