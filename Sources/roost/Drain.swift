import EventLoops
import Glibc
import RoostServer

/// Sends a node's clients away before it stops.
enum Drain {
  /// Over which their closes are spread, and how long stragglers have.
  private static let (spreadMilliseconds, patienceMilliseconds): (Int64, Int64) = (2_000, 10_000)

  /// Blocks until they are gone or have had their time.
  static func run(_ node: Node) {
    guard node.connectionCount > 0 else { return }
    node.drain(overMilliseconds: spreadMilliseconds)
    let deadline = monotonicMilliseconds() + spreadMilliseconds + patienceMilliseconds
    while node.connectionCount > 0 && monotonicMilliseconds() < deadline { usleep(20_000) }
  }
}
