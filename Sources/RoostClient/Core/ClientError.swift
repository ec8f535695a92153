/// Why a call has no answer, or a client no connection.
public enum ClientError: Error, Sendable, Equatable {
  /// The server refused the message. `code` is one of the protocol's (`NOT_IN_ROOM`, `FORBIDDEN`, …); an open set.
  case server(code: String, message: String, retryAfter: Duration?)
  /// The handshake was answered with this HTTP status, and trying again would not help.
  case refused(status: Int)
  /// The server ended the connection with a code after which clients do not come back, such as 1000, 4500 or 4501; or
  /// with 4001, and there is nobody to ask for a new token.
  case closed(code: Int, reason: String)
  /// The server cannot be reached: only of the first connection, when all ``ClientConfiguration/firstAttempts`` failed.
  case unreachable(String)
  /// The server's certificate is not one to believe, in words, so nothing was said to it. Only of the first connection:
  /// a server that was believed once is asked again until its certificate is good again.
  case untrusted(String)
  /// The connection was lost when the message was under way, and this kind of message cannot be sent again without the
  /// risk of doubling it: `private` and `chat`.
  case outcomeUnknown
  /// ``ClientConfiguration/pendingMessages`` or ``ClientConfiguration/pendingBytes`` wait for their answers.
  case tooMuchPending
  /// ``RoostClient/disconnect()`` was called, or the room was left while the call waited.
  case disconnected
  /// The waiting task was cancelled. What was on its way may arrive, or not.
  case cancelled
  /// An argument that no server would take, in words.
  case invalid(String)
}

extension ClientError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .server(let code, let message, _): message.isEmpty ? code : "\(message) (\(code))"
    case .refused(401): "the server does not take the token (401)"
    case .refused(403): "the server does not take clients from here (403)"
    case .refused(404): "there is no WebSocket server at this path (404)"
    case .refused(0): "what answers is no WebSocket server"
    case .refused(let status): "the server refuses the connection (\(status))"
    case .closed(let code, ""): "the server ended the connection (\(code))"
    case .closed(let code, let reason): "the server ended the connection: \(reason) (\(code))"
    case .unreachable(let reason): "the server cannot be reached: \(reason)"
    case .untrusted(let reason): "the server's certificate is not believed: \(reason)"
    case .outcomeUnknown: "the connection was lost on the way: it may have arrived or not"
    case .tooMuchPending: "too much waits to be sent"
    case .disconnected: "disconnected"
    case .cancelled: "cancelled"
    case .invalid(let problem): problem
    }
  }
}
