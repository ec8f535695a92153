/// How many bytes a client may send: so many at once, and so many a second in the long run.
///
/// What has arrived cannot be refused any more, so it is always taken, and a client that sent too much is in debt: it
/// is not read until the debt is paid. TCP tells it to wait; nothing is lost, and nobody has to be told.
public struct Intake: Equatable, Sendable {
  /// Shared by all connections.
  public struct Rules: Equatable, Sendable {
    /// Nanoseconds that one byte takes.
    let interval: Int64
    /// Nanoseconds that the bytes take which may come at once.
    let slack: Int64

    /// - Parameters:
    ///   - bytesPerSecond: 1 to 2^30.
    ///   - burst: bytes at once, 0 to 2^30.
    public init(bytesPerSecond: Int, burst: Int) {
      precondition((1...1 << 30).contains(bytesPerSecond) && (0...1 << 30).contains(burst))
      interval = max(1, 1_000_000_000 / Int64(bytesPerSecond))
      slack = interval * Int64(burst)
    }
  }

  /// When everything that came so far will be paid, in nanoseconds.
  private var paidAt = Int64.min

  public init() {}

  /// So many bytes came at `now`, in nanoseconds of any clock; one that steps back costs a client the slack at most.
  /// Answers how many milliseconds the client must not be read: 0 for one that may go on.
  public mutating func take(_ bytes: Int, at now: Int64, rules: Rules) -> Int64 {
    let start = min(max(paidAt, now), now + rules.slack)
    paidAt = start + Int64(bytes) * rules.interval
    return debt(at: now, rules: rules)
  }

  /// Milliseconds until the client may be read again, 0 or more.
  public func debt(at now: Int64, rules: Rules) -> Int64 {
    let rest = paidAt.subtractingReportingOverflow(now + rules.slack).partialValue
    return paidAt == .min || rest <= 0 ? 0 : (rest + 999_999) / 1_000_000
  }
}
