/// What came of something a backend asked for.
public enum BackendAnswer: Sendable, Equatable {
  /// Stored, and every node is told.
  case revoked
  /// It holds on this node, and will be stored and told when the relay is back.
  case revokedHere
  /// There is no room for so many revocations: nothing was done.
  case tooManyRevocations
  /// So many connections were closed. Partial: some nodes did not answer in time, or could not be told.
  case disconnected(connections: Int, isPartial: Bool)
  /// Whether the token with which an admin asks is revoked.
  case token(isRevoked: Bool)
  case drain(DrainAnswer)
}

/// What came of the wish that a node drains.
public enum DrainAnswer: Sendable, Equatable {
  /// This node, by its whole name, drains from now on, or did before.
  case begun(node: String)
  /// There is none of that name.
  case unknownNode
  /// The name fits several nodes.
  case severalNodes
  /// It did not answer in time, or cannot be reached: nobody knows.
  case noAnswer
}
