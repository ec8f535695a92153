/// A living node, as its last heartbeat left it in the relay.
public struct NodeStanding: Sendable, Equatable {
  /// The process' name in the cluster: ``HubConfiguration/instance``.
  public var name: String
  public var connections: Int
  /// It sends its clients away and is about to end.
  public var isDraining: Bool

  public init(_ name: String, connections: Int = 0, isDraining: Bool = false) {
    (self.name, self.connections, self.isDraining) = (name, connections, isDraining)
  }
}
