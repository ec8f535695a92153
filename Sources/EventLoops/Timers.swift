/// When to wake whom: a binary heap of deadlines, one per loop.
///
/// An entry cannot be cancelled. Its owner is named by a token with a generation and decides on waking whether it
/// still cares; so an owner keeps at most one entry for its earliest deadline and arms the next one when woken.
public struct Timers {
  private struct Entry {
    var deadline: Int64
    var token: UInt64
  }

  private var heap: ContiguousArray<Entry> = []

  public init() {}

  public var count: Int { heap.count }

  /// Asks for `token` at `deadline` (milliseconds of the loop's monotonic clock).
  public mutating func add(deadline: Int64, token: UInt64) {
    heap.append(Entry(deadline: deadline, token: token))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].deadline < heap[parent].deadline else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// The next token whose deadline has come, or `nil`.
  public mutating func popExpired(now: Int64) -> UInt64? {
    guard let first = heap.first, first.deadline <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    return first.token
  }

  /// How long a wait may last, in milliseconds: `-1` when nothing is asked for.
  public func timeout(now: Int64) -> CInt {
    guard let first = heap.first else { return -1 }
    return CInt(clamping: max(0, first.deadline - now))
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      var least = parent
      for child in (2 * parent + 1)...(2 * parent + 2)
      where child < heap.count && heap[child].deadline < heap[least].deadline {
        least = child
      }
      guard least != parent else { return }
      heap.swapAt(least, parent)
      parent = least
    }
  }
}
