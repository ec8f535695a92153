import EventLoops
import Glibc
import Locks
import Synchronization

/// What is typed into a chat on a terminal: read on a thread of its own, also while something is being sent.
final class ChatKeys: Sendable {
  enum Input: Equatable {
    case line(String)
    case typing(Bool)
  }

  private struct State {
    /// Bounded by ``most`` and what one read brings.
    var waiting: [Input] = []
    var asker: CheckedContinuation<Input?, Never>?
    var isReading = false
    /// There is no more.
    var isOver = false

    mutating func serve() {
      guard let asker, isOver || !waiting.isEmpty else { return }
      asker.resume(returning: waiting.isEmpty ? nil : waiting.removeFirst())
      self.asker = nil
    }
  }

  /// When so much waits, nothing is read until some was taken.
  private static let most = 64

  private let screen: ChatScreen
  private let state = Mutex(State())

  init(_ screen: ChatScreen) { self.screen = screen }

  /// `nil` at the end. It cannot be cancelled: who does not want to wait any longer ends the process.
  func next() async -> Input? {
    await withCheckedContinuation { continuation in
      let begins = state.locked { state in
        state.asker = continuation
        state.serve()
        defer { state.isReading = true }
        return !state.isReading && !state.isOver
      }
      if begins { onNewThread(name: "keys") { [self] in read() } }
    }
  }

  private func read() {
    var chunk = [UInt8](repeating: 0, count: 1_024)
    var goesOn = true
    while goesOn {
      let count = unsafe Glibc.read(0, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      let (inputs, isEnd) = count > 0 ? screen.type(chunk[..<count]) : ([], true)
      goesOn = state.locked { state in
        state.waiting += inputs
        state.isOver = isEnd
        state.serve()
        state.isReading = !isEnd && state.waiting.count < Self.most
        return state.isReading
      }
    }
  }
}
