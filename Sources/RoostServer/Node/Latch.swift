import Locks
import Synchronization

/// Opens when everybody has arrived; lets all who wait through.
final class Latch: Sendable {
  private struct State {
    var missing: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(missing: count)) }

  func arrive() {
    let released = state.locked { state in
      state.missing -= 1
      return state.missing == 0 ? state.waiting : []
    }
    for continuation in released { continuation.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.locked {
        if $0.missing > 0 { $0.waiting.append(continuation) }
        return $0.missing <= 0
      }
      if isOpen { continuation.resume() }
    }
  }
}
