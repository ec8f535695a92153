/// How one connection behaves: a bucket for each kind of thing that its client may do, and how long it is put up with
/// when it goes on regardless. What a user says is limited elsewhere, over all his connections (``UserRate``).
///
/// Times are milliseconds of any steady clock.
public struct Conduct: Sendable {
  /// Shared by all connections.
  public struct Rules: Equatable, Sendable {
    /// Joining, leaving, `ping`, and everything that is refused.
    var control: Rate
    /// What has a far bigger answer than it is itself: history, who is in a room, joining a room again for its past.
    var questions: Rate
    /// Rooms that the connection is not in: the cluster keeps something of each for a day.
    var newRooms: Rate
    /// Coming back into one room that was left.
    var churn: Rate
    var typing: Rate
    /// WebSocket pings and pongs.
    var frames: Rate

    /// - Parameters:
    ///   - rooms: rooms of one connection; a client that comes back may join all of them at once.
    ///   - controlPerSecond, questionsPerSecond, typingPerSecond, framesPerSecond: 1 or more; what may come at once is
    ///     a multiple of it.
    ///   - newRoomsPerMinute: in the long run, beside the `rooms` at once.
    ///   - returnsPerMinute: also as many at once.
    public init(
      rooms: Int, controlPerSecond: Int = 5, questionsPerSecond: Int = 5, newRoomsPerMinute: Int = 60,
      returnsPerMinute: Int = 10, typingPerSecond: Int = 2, framesPerSecond: Int = 10
    ) {
      control = Rate(burst: rooms + 4 * controlPerSecond, perSecond: controlPerSecond)
      questions = Rate(burst: 2 * questionsPerSecond, perSecond: questionsPerSecond)
      newRooms = Rate(burst: rooms + 20, perMinute: newRoomsPerMinute)
      churn = Rate(burst: returnsPerMinute, perMinute: returnsPerMinute)
      typing = Rate(burst: 5 * typingPerSecond, perSecond: typingPerSecond)
      frames = Rate(burst: 5 * framesPerSecond, perSecond: framesPerSecond)
    }
  }

  private var control = TokenBucket()
  private var questions = TokenBucket()
  private var newRooms = TokenBucket()
  private var typing = TokenBucket()
  private var frames = TokenBucket()
  private var refreshed = TokenBucket()
  private var patience = TokenBucket()
  private var offences = OffenceCounter()
  private var churn = RoomChurn()

  /// New tokens: each costs a signature check.
  private static let refreshRate = Rate(burst: 5, nanosecondsPerToken: 10_000_000_000)

  public init() {}

  // MARK: What it does. `nil`: it may; else milliseconds until it may.

  mutating func joins(_ room: RoomName, rules: Rules, now: Int64) -> Int? {
    if let wait = churn.wait(for: room, at: now * 1_000_000, rate: rules.churn) { return wait }
    return Self.take(&control, rules.control, now) ?? Self.take(&newRooms, rules.newRooms, now)
  }

  mutating func leaves(_ room: RoomName, rules: Rules, now: Int64) -> Int? {
    if let wait = controls(rules: rules, now: now) { return wait }
    churn.left(room, at: now * 1_000_000, rate: rules.churn)
    return nil
  }

  mutating func asks(rules: Rules, now: Int64) -> Int? { Self.take(&questions, rules.questions, now) }

  /// It asks about a room that it is not in.
  mutating func opensRoom(rules: Rules, now: Int64) -> Int? { Self.take(&newRooms, rules.newRooms, now) }

  mutating func controls(rules: Rules, now: Int64) -> Int? { Self.take(&control, rules.control, now) }

  /// As ``controls(rules:now:)``, but only to look.
  func waitToControl(rules: Rules, now: Int64) -> Int? { control.wait(at: now * 1_000_000, rate: rules.control) }

  mutating func refreshes(now: Int64) -> Int? { Self.take(&refreshed, Self.refreshRate, now) }

  mutating func types(rules: Rules, now: Int64) -> Int? { Self.take(&typing, rules.typing, now) }

  // MARK: What it does wrong

  /// A WebSocket ping or pong came. False: there are too many of them.
  mutating func mayControl(rules: Rules, now: Int64) -> Bool { Self.take(&frames, rules.frames, now) == nil }

  /// A message was no JSON. True: the one too many within a minute.
  mutating func offends(second: Int32) -> Bool { offences.record(now: second) }

  /// A message is refused because of `mistake`. What its client is told, for being refused is not for free either;
  /// `nil`: it was told often enough.
  ///
  /// Every answer `RATE_LIMITED` counts, whatever it was for, in one bucket that is three times as deep as that of
  /// control messages and fills at the same pace. Who waits as told never empties it.
  mutating func isRefused(_ mistake: ClientMistake, rules: Rules, now: Int64) -> ClientMistake? {
    var told = mistake
    if mistake.code != .rateLimited, let wait = controls(rules: rules, now: now) {
      told = .rateLimited(retryAfterMilliseconds: wait)
    }
    guard told.code == .rateLimited else { return told }
    return Self.take(&patience, rules.control.forbearance, now) == nil ? told : nil
  }

  private static func take(_ bucket: inout TokenBucket, _ rate: Rate, _ now: Int64) -> Int? {
    guard case .refused(let wait) = bucket.take(at: now * 1_000_000, rate: rate) else { return nil }
    return wait
  }
}
