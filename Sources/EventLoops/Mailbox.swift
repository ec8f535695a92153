import Locks
import Synchronization

/// Values for a loop, from any thread. A post costs one lock; a wake-up is paid once per batch, not per value.
public final class Mailbox<Element: Sendable>: Sendable {
  private let waiting = Mutex<[Element]>([])
  private let loop: EventLoop

  public init(wakes loop: EventLoop) { self.loop = loop }

  public func post(_ element: Element) {
    let isFirst = waiting.locked {
      $0.append(element)
      return $0.count == 1
    }
    if isFirst { loop.wake() }
  }

  /// Posts all of `elements` in order, then empties the array and keeps its memory.
  public func post(contentsOf elements: inout [Element]) {
    guard !elements.isEmpty else { return }
    let wasEmpty = waiting.locked {
      let wasEmpty = $0.isEmpty
      $0.append(contentsOf: elements)
      return wasEmpty
    }
    elements.removeAll(keepingCapacity: true)
    if wasEmpty { loop.wake() }
  }

  /// Swaps everything that waits into `inbox`, which must be empty; both arrays keep their memory.
  public func take(into inbox: inout [Element]) {
    precondition(inbox.isEmpty)
    waiting.locked { swap(&$0, &inbox) }
  }
}
