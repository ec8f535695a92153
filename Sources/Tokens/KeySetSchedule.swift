/// When a key set is fetched, and how long the last good one serves. It decides; its owner fetches and reports.
///
/// Times are milliseconds of one clock that never goes back.
public struct KeySetSchedule: Sendable {
  /// How often, and how long.
  public struct Times: Equatable, Sendable {
    /// From one good set to the next fetch.
    public var refresh: Int64 = 600_000
    /// Between two fetches for tokens of an unknown key: whoever makes up key ids buys no more than this.
    public var unknownKey: Int64 = 60_000
    /// After a failed fetch, while there is no set: doubled up to ``retry``.
    public var firstRetry: Int64 = 1_000
    /// After a failed fetch.
    public var retry: Int64 = 60_000
    /// How long the last good set serves while nothing better comes: a day.
    public var life: Int64 = 86_400_000

    public init() {}
  }

  /// What a fetch that ended means.
  public enum Outcome: Equatable, Sendable {
    /// There is a new set.
    case replaced
    /// There is none, or none any better.
    case failed
    /// … and the last good set is too old to be used any longer.
    case dropped
  }

  private let times: Times
  /// The end of the last good fetch whose set is still in use.
  private var lastGood: Int64?
  private var nextFetch = Int64.min
  private var nextForUnknownKey = Int64.min
  private var failures = 0
  /// Whether a fetch was started and has not ended.
  public private(set) var isFetching = false

  public init(_ times: Times = Times()) { self.times = times }

  /// Milliseconds until ``start(now:)`` is worth asking, unless an unknown key comes first.
  public func wait(now: Int64) -> Int64 { nextFetch <= now ? 0 : nextFetch - now }

  /// Whether to fetch now. If so, the fetch has begun: ``ended(isGood:now:)`` must follow.
  public mutating func start(now: Int64) -> Bool {
    guard !isFetching, nextFetch <= now else { return false }
    isFetching = true
    return true
  }

  /// A token named a key nobody knows. Whether a set is on its way that may have it: under way, or due at once.
  public mutating func unknownKey(now: Int64) -> Bool {
    if isFetching || nextFetch <= now { return true }
    guard nextForUnknownKey <= now else { return false }
    nextForUnknownKey = now + times.unknownKey
    nextFetch = now
    return true
  }

  /// - Parameter isGood: whether there is a set with a usable key.
  public mutating func ended(isGood: Bool, now: Int64) -> Outcome {
    isFetching = false
    if isGood {
      (lastGood, failures, nextFetch) = (now, 0, now + times.refresh)
      return .replaced
    }
    let isLate = lastGood.map { now - $0 >= times.life } ?? false
    if isLate { lastGood = nil }
    let patience = lastGood == nil ? times.firstRetry << Int64(min(failures, 16)) : times.retry
    failures += 1
    nextFetch = now + min(patience, times.retry)
    return isLate ? .dropped : .failed
  }
}
