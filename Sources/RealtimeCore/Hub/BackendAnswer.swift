/// What came of something a backend asked for.
public enum BackendAnswer: Sendable, Equatable {
  /// Stored, and every node is told.
  case revoked
  /// It holds on this node, and will be stored and told when the relay is back.
  case revokedHere
  /// There is no room for so many revocations: they hold on this node at most.
  case tooManyRevocations
  /// So many connections were closed. Partial: some nodes did not answer in time, or could not be told.
  case disconnected(connections: Int, isPartial: Bool)
  /// Whether the token with which an admin asks is revoked.
  case token(isRevoked: Bool)

  /// Stored at this place and handed to the relay; `messageID` is empty for a duplicate, whose first may have another.
  case published(RoomName, Position, messageID: String, isDuplicate: Bool)
  /// So many connections got it. Partial: some nodes did not answer in time, and may have delivered it all the same.
  case reached(connections: Int, isPartial: Bool)
  /// The answer to a question, a JSON object.
  case found([UInt8])
  /// The relay is away or did not answer: whether something was done is not known.
  case unavailable
  /// Backends ask this node for too much.
  case tooOften(retryAfterMilliseconds: Int)
  /// No node would read a message with this payload: it names another room or is too large.
  case unreadable
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
