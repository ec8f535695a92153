/// Things that all wait equally long: first in, first due. Cheaper and simpler than a heap where delays are constant.
struct DelayQueue<Element> {
  private var entries: [(due: Int64, element: Element)] = []
  private var head = 0

  var isEmpty: Bool { head == entries.count }
  var count: Int { entries.count - head }

  /// When the first one is due.
  var nextDue: Int64? { isEmpty ? nil : entries[head].due }

  /// `due` must not lie before that of an element already waiting; if it does, it is moved up to it.
  mutating func append(_ element: Element, due: Int64) {
    entries.append((max(due, isEmpty ? due : entries[entries.count - 1].due), element))
  }

  mutating func popDue(now: Int64) -> Element? {
    guard let due = nextDue, due <= now else { return nil }
    let element = entries[head].element
    head += 1
    if head == entries.count {
      entries.removeAll(keepingCapacity: entries.capacity <= 64)
      head = 0
    } else if head >= 64, head * 2 >= entries.count {
      entries.removeFirst(head)
      head = 0
    }
    return element
  }
}
