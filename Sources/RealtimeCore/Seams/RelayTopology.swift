/// How what is said in a room finds the nodes that have its members. One for all nodes of a cluster.
public enum RelayTopology: String, Sendable, CaseIterable {
  /// One channel for all rooms: every node gets everything.
  case broadcast
  /// A channel per room, which a node is subscribed to while it has a member there.
  case rooms
}
