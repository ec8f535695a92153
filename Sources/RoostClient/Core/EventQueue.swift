/// Events that wait to be taken, in order and never more than twice the limit.
struct EventQueue {
  private let limit: Int
  private var waiting: [ClientEvent] = []
  private var head = 0
  private var skipped = 0

  init(limit: Int) { self.limit = limit }

  var count: Int { waiting.count - head }
  /// A room's message that comes now has to be fetched again later.
  var isFull: Bool { count >= limit }
  /// So much was taken that fetching makes sense.
  var hasRoom: Bool { count <= limit / 2 }

  /// Adds what can be done without: left out when the queue is full.
  mutating func offer(_ event: ClientEvent) {
    if isFull { skipped += 1 } else { append(event) }
  }

  /// Adds what should be heard: left out only at twice the limit.
  mutating func append(_ event: ClientEvent) {
    guard count < 2 * limit - 1 else {
      skipped += 1
      return
    }
    force(event)
  }

  /// Adds what comes once in a life.
  mutating func force(_ event: ClientEvent) {
    if skipped > 0 {
      waiting.append(.skipped(skipped))
      skipped = 0
    }
    waiting.append(event)
  }

  mutating func take() -> ClientEvent? {
    guard head < waiting.count else {
      guard skipped > 0 else { return nil }
      defer { skipped = 0 }
      return .skipped(skipped)
    }
    defer {
      head += 1
      if head == waiting.count || head >= 256 {
        waiting.removeFirst(head)
        head = 0
      }
    }
    return waiting[head]
  }
}
