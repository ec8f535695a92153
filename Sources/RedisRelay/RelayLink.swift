import RealtimeCore

/// What users of the relay are told about it, from what happened to its connections. Pure: the clock is an argument.
///
///     starting ──► connected ──1 s──► suspect ──1 s──► degraded ──► recovering ──► connected
///         └──────────────── 2 s ────────────────────────▲
///
/// Trouble counts from when it began, not from when it was noticed: a probe that is not seen back counts from its
/// sending. Only a probe that came back proves that frames go round; and as long as Redis refuses to store messages,
/// it proves too little.
struct RelayLink {
  static let suspectAfter: Int64 = 1_000
  static let degradedAfter: Int64 = 2_000

  private(set) var state = RelayState.starting
  private var troubledSince: Int64?
  /// Since when messages are refused on connections that work.
  private var refusedSince: Int64?
  private var isEstablished = false

  init(now: Int64) { troubledSince = now }

  /// A connection was lost, or proved useless, at `since`.
  mutating func trouble(since: Int64) {
    isEstablished = false
    troubledSince = min(troubledSince ?? since, since)
  }

  /// Both connections are up; the proof is still to come.
  mutating func established() { isEstablished = true }

  /// True when it proved that the connections work.
  @discardableResult
  mutating func probeSeen() -> Bool {
    if isEstablished { troubledSince = nil }
    return isEstablished
  }

  /// Messages are refused since then; `nil`: they are accepted.
  mutating func refusing(since: Int64?) { refusedSince = since }

  /// Moves on; returns the state when it changed.
  mutating func tick(now: Int64) -> RelayState? {
    let next = nextState(now: now)
    guard next != state else { return nil }
    state = next
    return next
  }

  /// When ``tick(now:)`` would change something by time alone.
  var deadline: Int64? {
    guard let since else { return nil }
    switch state {
    case .connected: return since + Self.suspectAfter
    case .suspect, .starting: return since + Self.degradedAfter
    case .degraded, .recovering: return nil
    }
  }

  private var since: Int64? {
    guard let troubledSince, let refusedSince else { return troubledSince ?? refusedSince }
    return min(troubledSince, refusedSince)
  }

  private func nextState(now: Int64) -> RelayState {
    guard let since else { return .connected }
    let age = now - since
    switch state {
    case .degraded, .recovering: return isEstablished && refusedSince == nil ? .recovering : .degraded
    case .starting: return age < Self.degradedAfter ? .starting : .degraded
    case .connected, .suspect:
      if age >= Self.degradedAfter { return .degraded }
      return age >= Self.suspectAfter ? .suspect : state
    }
  }
}
