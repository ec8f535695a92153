import EventLoops
import RealtimeCore
import RedisRelay

/// The relay a node was configured with: Redis, or its own memory.
struct NodeRelay: ~Copyable, Relay {
  private var local: LocalRelay?
  private var redis: RedisRelay?

  init(_ relay: consuming LocalRelay) { self.local = consume relay }
  init(_ relay: consuming RedisRelay) { self.redis = consume relay }

  mutating func submit(_ request: RelayRequest, ticket: RelayTicket) {
    local?.submit(request, ticket: ticket)
    redis?.submit(request, ticket: ticket)
  }

  mutating func follow(_ room: RoomName) { redis?.follow(room) }
  mutating func unfollow(_ room: RoomName) { redis?.unfollow(room) }

  mutating func takeEvents(into events: inout [RelayEvent]) {
    local?.takeEvents(into: &events)
    redis?.takeEvents(into: &events)
  }

  /// One of its descriptors is ready.
  mutating func ready(_ event: EventBuffer.Event, now: Now) {
    redis?.ready(
      event.token == Token.relay ? .command : .subscriber, isReadable: event.isReadable, now: now.monotonic)
  }

  /// Begins a turn: before anything is submitted.
  mutating func advance(to now: Now) {
    local?.advance(to: now)
    redis?.advance(to: now.monotonic)
  }

  /// Ends a turn: sends what was submitted and watches deadlines.
  mutating func endTurn(now: Now) { redis?.tick(now: now.monotonic) }

  mutating func start(now: Now) { redis?.start(now: now.monotonic) }

  /// What an operator should read, since the last call.
  mutating func takeNotices() -> [String] { redis?.takeNotices() ?? [] }

  /// What Redis was asked; nothing without one.
  var counters: RelayCounters {
    switch redis {
    case .some(let redis): redis.counters
    case .none: RelayCounters()
    }
  }

  /// When ``endTurn(now:)`` is needed next.
  var nextDeadline: Int64? {
    switch redis {
    case .some(let redis): redis.nextDeadline
    case .none: nil
    }
  }
}
