import EventLoops
import Glibc
import RoostServer

/// Sends a node's clients away before it stops.
enum Drain {
  /// Closes are spread over one millisecond for each connection, up to this.
  private static let spreadMilliseconds = 2_000
  /// Longer than a closing handshake may take; only idle HTTP connections are left then.
  private static let patienceMilliseconds: Int64 = 3_000

  /// Blocks until they are gone or have had their time.
  static func run(_ node: Node) {
    guard node.connectionCount > 0 else { return }
    let spread = Int64(min(spreadMilliseconds, node.connectionCount))
    node.drain(overMilliseconds: spread)
    let deadline = monotonicMilliseconds() + spread + patienceMilliseconds
    while node.connectionCount > 0 && monotonicMilliseconds() < deadline { usleep(20_000) }
  }
}
