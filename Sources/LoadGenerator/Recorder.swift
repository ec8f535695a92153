import Buffers

/// Remembers everything its clients hear, for somebody who compares it later.
struct Recorder: SwarmDriver, ~Copyable {
  /// The slot of each client, by tag; `nil` before it is open and after it ended.
  private(set) var slots: [UInt32?] = []
  private var events: [SwarmEvent] = []
  /// Who waits for an event, and until when.
  private var waiter: CheckedContinuation<Void, Never>?
  private(set) var deadline: Int64?

  mutating func nextTag() -> Int {
    slots.append(nil)
    return slots.count - 1
  }

  var hasEvents: Bool { !events.isEmpty }

  mutating func takeEvents() -> [SwarmEvent] {
    defer { events = [] }
    return events
  }

  mutating func wait(_ continuation: CheckedContinuation<Void, Never>, until deadline: Int64) {
    precondition(waiter == nil, "one waits at a time")
    (waiter, self.deadline) = (continuation, deadline)
  }

  mutating func note(_ tag: Int, _ kind: SwarmEvent.Kind, at time: Int64) {
    events.append(SwarmEvent(client: tag, kind: kind, time: time))
  }

  mutating func forget(_ tag: Int) { slots[tag] = nil }

  mutating func opened(_ client: UInt32, tag: Int, _ wire: inout Wire) {
    slots[tag] = client
    note(tag, .opened, at: wire.milliseconds)
  }

  mutating func received(_ message: borrowing RawSpan, by client: UInt32, tag: Int, _ wire: inout Wire) {
    let bytes = unsafe message.withUnsafeBytes { unsafe Array($0) }
    note(tag, .message(bytes), at: wire.milliseconds)
  }

  mutating func ended(_ client: UInt32, tag: Int, _ ending: Ending, _ wire: inout Wire) {
    slots[tag] = nil
    note(tag, .ended(ending), at: wire.milliseconds)
  }

  mutating func turn(_ wire: inout Wire) {
    guard let waiting = waiter, hasEvents || wire.milliseconds >= deadline ?? .max else { return }
    (waiter, deadline) = (nil, nil)
    waiting.resume()
  }
}
