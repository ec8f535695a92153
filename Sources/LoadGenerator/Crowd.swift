import EventLoops

/// Opens the connections of a measurement, so many at a time, and knows who is there.
struct Crowd: ~Copyable {
  /// The slot of each client by its number; `nil` when it is not open.
  private(set) var slots: [UInt32?]
  private(set) var openCount = 0
  private(set) var firstError = ""
  private(set) var failures = 0
  private var next = 0
  private var underWay = 0
  private let concurrency: Int

  init(count: Int, concurrency: Int) {
    slots = Array(repeating: nil, count: count)
    self.concurrency = concurrency
  }

  /// Everybody came, or was turned away.
  var isComplete: Bool { next == slots.count && underWay == 0 }

  mutating func open(_ plan: borrowing BenchPlan, _ wire: inout Wire, isPublisher: (Int) -> Bool) {
    while next < slots.count && underWay < concurrency {
      let endpoint = plan.endpoint(of: next, isPublisher: isPublisher(next))
      do {
        try wire.open(endpoint, tag: next)
        underWay += 1
      } catch {
        note("\(error)")
      }
      next += 1
    }
  }

  mutating func opened(_ client: UInt32, tag: Int) {
    slots[tag] = client
    underWay -= 1
    openCount += 1
  }

  mutating func ended(tag: Int, _ ending: Ending) {
    if slots[tag] == nil { underWay -= 1 } else { openCount -= 1 }
    slots[tag] = nil
    note("\(ending)")
  }

  mutating func note(_ error: String) {
    failures += 1
    if firstError.isEmpty { firstError = error }
  }
}
