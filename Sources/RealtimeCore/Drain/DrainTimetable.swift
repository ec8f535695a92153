/// When a node that goes does what, from the signal on. Times are milliseconds of the monotonic clock.
///
///     signal ── wait ──► send away ── window ──► the last answers ─ … ─► last words (1001) ──► stop ──► deadline
///
/// The node is gone as soon as its clients are; what is said here is when it goes on without waiting for them.
public struct DrainTimetable: Equatable, Sendable {
  /// What an operator sets, in milliseconds.
  public struct Rules: Equatable, Sendable {
    /// Until balancers have noticed that the node is not ready.
    public var wait: Int64
    /// Over which clients are sent away.
    public var window: Int64
    /// From the signal to the end, whatever is left then.
    public var deadline: Int64

    public init(wait: Int64, window: Int64, deadline: Int64) {
      (self.wait, self.window, self.deadline) = (wait, window, deadline)
    }
  }

  /// Few clients do not need the whole window: so many milliseconds for each are gentle enough.
  static let gentlePause: Int64 = 10
  /// Of the time up to the deadline so much is for saying 1001, at most.
  static let lastWords: Int64 = 1_000

  /// From then on clients are sent away …
  public let sendsAwayAt: Int64
  /// … over so many milliseconds.
  public let window: Int64
  /// Whoever is still there is told that the node ends.
  public let lastWordsAt: Int64
  /// Nobody is waited for any longer.
  public let stopsAt: Int64

  /// - Parameter connections: how many there are at the signal, whatever they are.
  public init(_ rules: Rules, connections: Int, now: Int64) {
    // Without anybody there is nothing to lose: a connection that is refused goes elsewhere at once.
    sendsAwayAt = now + (connections == 0 ? 0 : min(rules.wait, rules.deadline))
    window = min(rules.window, Int64(connections) * Self.gentlePause)
    let lastWords = min(Self.lastWords, rules.deadline / 4)
    lastWordsAt = now + rules.deadline - lastWords
    stopsAt = now + rules.deadline - lastWords / 4
  }
}
