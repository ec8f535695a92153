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
}
