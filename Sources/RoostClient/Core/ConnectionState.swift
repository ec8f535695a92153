/// How a client's connection is.
public enum ConnectionState: Sendable, Equatable {
  /// Messages pass.
  case open
  /// It is lost, or could not be made, for the reason given, and is tried again by itself.
  case waiting(reason: String, retryAfter: Duration)
  /// It is over, and no further event follows. `nil`: by ``RoostClient/disconnect()``.
  case ended(ClientError?)
}
