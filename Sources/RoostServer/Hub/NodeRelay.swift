import EventLoops
import RealtimeCore

/// The relay a node was configured with.
struct NodeRelay: ~Copyable, Relay {
  private var local: LocalRelay?

  init(local: consuming LocalRelay) { self.local = consume local }

  mutating func submit(_ request: RelayRequest, ticket: RelayTicket) { local?.submit(request, ticket: ticket) }

  mutating func takeEvents(into events: inout [RelayEvent]) { local?.takeEvents(into: &events) }

  /// Once a turn, before anything is submitted.
  mutating func advance(to now: Now) { local?.advance(to: now) }

  /// One of its descriptors is ready.
  mutating func ready(_ event: EventBuffer.Event) {}

  /// When ``advance(to:)`` is needed next.
  var nextDeadline: Int64? { nil }
}
