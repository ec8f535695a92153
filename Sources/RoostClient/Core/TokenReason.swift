/// Why a client asks for a token.
public enum TokenReason: Sendable, Equatable {
  /// It has none yet.
  case first
  /// The one it has ends soon; the connection goes on.
  case expiring
  /// The one it had has ended (close code 4001).
  case expired
  /// The server did not take the one it had (401).
  case refused
}
