public import RealtimeCore

/// The relay a node was configured with: a Redis, several, or its own memory. Driven like ``RedisRelay``.
public struct NodeRelay: ~Copyable, Relay {
  private var local: LocalRelay?
  private var redis: RedisRelay?
  private var spread: SpreadRelay?

  public init(_ relay: consuming LocalRelay) { self.local = consume relay }
  public init(_ relay: consuming RedisRelay) { self.redis = consume relay }
  public init(_ relay: consuming SpreadRelay) { self.spread = consume relay }

  public mutating func submit(_ request: RelayRequest, ticket: RelayTicket) {
    local?.submit(request, ticket: ticket)
    redis?.submit(request, ticket: ticket)
    spread?.submit(request, ticket: ticket)
  }

  public mutating func follow(_ room: RoomName) {
    redis?.follow(room)
    spread?.follow(room)
  }

  public mutating func unfollow(_ room: RoomName) {
    redis?.unfollow(room)
    spread?.unfollow(room)
  }

  public mutating func takeEvents(into events: inout [RelayEvent]) {
    local?.takeEvents(into: &events)
    redis?.takeEvents(into: &events)
    spread?.takeEvents(into: &events)
  }

  /// One of its wires is ready. Each server has two places in their order: for commands, and for the subscriber.
  public mutating func ready(place: Int, isReadable: Bool, now: Now) {
    let line = place % 2 == 0 ? RedisRelay.Line.command : .subscriber
    redis?.ready(line, isReadable: isReadable, now: now.monotonic)
    spread?.ready(server: place / 2, line, isReadable: isReadable, now: now.monotonic)
  }

  /// Begins a turn: before anything is submitted.
  public mutating func advance(to now: Now) {
    local?.advance(to: now)
    redis?.advance(to: now.monotonic)
    spread?.advance(to: now.monotonic)
  }

  /// Ends a turn: sends what was submitted and watches deadlines.
  public mutating func endTurn(now: Now) {
    redis?.tick(now: now.monotonic)
    spread?.tick(now: now.monotonic)
  }

  public mutating func start(now: Now) {
    redis?.start(now: now.monotonic)
    spread?.start(now: now.monotonic)
  }

  /// Closes its connections and fails what has no answer yet.
  public mutating func stop() {
    redis?.stop()
    spread?.stop()
  }

  /// What an operator should read, since the last call.
  public mutating func takeNotices() -> [String] {
    var notices = redis?.takeNotices() ?? []
    notices += spread?.takeNotices() ?? []
    return notices
  }

  /// What Redis was asked; nothing without one.
  public var counters: RelayCounters {
    switch redis {
    case .some(let redis): return redis.counters
    case .none: break
    }
    switch spread {
    case .some(let spread): return spread.counters
    case .none: return RelayCounters()
    }
  }

  /// Of each server, in the order of the list; without one there is none.
  public var states: [RelayState] {
    switch redis {
    case .some(let redis): return [redis.state]
    case .none: break
    }
    switch spread {
    case .some(let spread): return spread.states
    case .none: return []
    }
  }

  /// When ``endTurn(now:)`` is needed next.
  public var nextDeadline: Int64? {
    switch redis {
    case .some(let redis): return redis.nextDeadline
    case .none: break
    }
    switch spread {
    case .some(let spread): return spread.nextDeadline
    case .none: return nil
    }
  }
}
