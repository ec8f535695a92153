import HTTPCore
import RealtimeCore

extension Response {
  /// What a backend is told about its wish: 200 only when it is done on every node. Wishing again does no harm.
  ///
  /// - Parameter retryAfter: seconds.
  static func backend(_ answer: BackendAnswer, retryAfter: Int) -> Response {
    switch answer {
    case .revoked: json(#"{"revoked":true}"#)
    case .revokedHere:
      unavailable("revoked on this node; the others cannot be told now", retryAfter: retryAfter, keepAlive: true)
    case .tooManyRevocations: unavailable("too many revocations", retryAfter: retryAfter, keepAlive: true)
    case .disconnected(let connections, isPartial: false): json(#"{"connections":\#(connections)}"#)
    case .disconnected(let connections, isPartial: true):
      unavailable(
        "\(connections) connections closed; not every node could be told now", retryAfter: retryAfter, keepAlive: true)
    case .drain(let outcome): drain(outcome, retryAfter: retryAfter)
    // A step on the way, never an answer.
    case .token: error(.internalServerError, "internal server error")
    }
  }

  static func json(_ text: String, _ status: Status = .ok) -> Response {
    Response(status, contentType: .json, body: Array(text.utf8))
  }
}
