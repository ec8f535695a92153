/// Finds out when every node publishes and delivers again: for figures.
struct ServiceWatch {
  let start: Int64
  private var acking: Set<Int> = []
  private var hearing: Set<Int> = []
  /// When the last of the nodes did, in milliseconds after the start.
  private(set) var duration: Int64?
  private let nodes: Set<Int>

  init(nodes: Set<Int>, from start: Int64) { (self.nodes, self.start) = (nodes, start) }

  /// An ack of a message said at `time` came from the node.
  mutating func acked(by node: Int, saidAt time: Int64, now: Int64) {
    guard time >= start else { return }
    acking.insert(node)
    check(now)
  }

  /// A message said at `time` on another node came from the node.
  mutating func heard(from node: Int, saidAt time: Int64, now: Int64) {
    guard time >= start else { return }
    hearing.insert(node)
    check(now)
  }

  private mutating func check(_ now: Int64) {
    if duration == nil, nodes.isSubset(of: acking), nodes.isSubset(of: hearing) { duration = now - start }
  }
}
