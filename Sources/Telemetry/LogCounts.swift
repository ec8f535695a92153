import Synchronization

/// Events by their level, written or held back. From any thread.
final class LogCounts: Sendable {
  private let counts = InlineArray<4, Atomic<Int>> { _ in Atomic(0) }

  func count(_ level: LogLevel) { counts[level.rawValue].wrappingAdd(1, ordering: .relaxed) }
  subscript(level: LogLevel) -> Int { counts[level.rawValue].load(ordering: .relaxed) }
}
