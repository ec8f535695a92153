import Synchronization

/// What a node logs.
final class LogLines: Sendable {
  private let lines = Mutex("")

  func add(_ line: [UInt8]) { lines.withLock { $0 += String(decoding: line, as: UTF8.self) } }

  var text: String { lines.withLock { $0 } }
}
