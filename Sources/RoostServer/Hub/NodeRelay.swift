import EventLoops
import RealtimeCore
import RedisRelay

/// The relay a node was configured with: a Redis, several, or its own memory.
struct NodeRelay: ~Copyable, Relay {
  private var local: LocalRelay?
  private var redis: RedisRelay?
  private var spread: SpreadRelay?

  init(_ relay: consuming LocalRelay) { self.local = consume relay }
  init(_ relay: consuming RedisRelay) { self.redis = consume relay }
  init(_ relay: consuming SpreadRelay) { self.spread = consume relay }

  mutating func submit(_ request: RelayRequest, ticket: RelayTicket) {
    local?.submit(request, ticket: ticket)
    redis?.submit(request, ticket: ticket)
    spread?.submit(request, ticket: ticket)
  }

  mutating func follow(_ room: RoomName) {
    redis?.follow(room)
    spread?.follow(room)
  }

  mutating func unfollow(_ room: RoomName) {
    redis?.unfollow(room)
    spread?.unfollow(room)
  }

  mutating func takeEvents(into events: inout [RelayEvent]) {
    local?.takeEvents(into: &events)
    redis?.takeEvents(into: &events)
    spread?.takeEvents(into: &events)
  }

  /// One of its descriptors is ready: each server has two tokens, for commands and for the subscriber.
  mutating func ready(_ event: EventBuffer.Event, now: Now) {
    let place = Int(event.token - Token.relay)
    let line = place % 2 == 0 ? RedisRelay.Line.command : .subscriber
    redis?.ready(line, isReadable: event.isReadable, now: now.monotonic)
    spread?.ready(server: place / 2, line, isReadable: event.isReadable, now: now.monotonic)
  }

  /// Begins a turn: before anything is submitted.
  mutating func advance(to now: Now) {
    local?.advance(to: now)
    redis?.advance(to: now.monotonic)
    spread?.advance(to: now.monotonic)
  }

  /// Ends a turn: sends what was submitted and watches deadlines.
  mutating func endTurn(now: Now) {
    redis?.tick(now: now.monotonic)
    spread?.tick(now: now.monotonic)
  }

  mutating func start(now: Now) {
    redis?.start(now: now.monotonic)
    spread?.start(now: now.monotonic)
  }

  /// What an operator should read, since the last call.
  mutating func takeNotices() -> [String] {
    var notices = redis?.takeNotices() ?? []
    notices += spread?.takeNotices() ?? []
    return notices
  }

  /// What Redis was asked; nothing without one.
  var counters: RelayCounters {
    switch redis {
    case .some(let redis): return redis.counters
    case .none: break
    }
    switch spread {
    case .some(let spread): return spread.counters
    case .none: return RelayCounters()
    }
  }

  /// When ``endTurn(now:)`` is needed next.
  var nextDeadline: Int64? {
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
