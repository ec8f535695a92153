import RealtimeCore
import Telemetry

/// What a message from a client is, for the metrics.
enum ReceivedKind: Int, CountedReason {
  case joinRoom, leaveRoom, sendMessage, typing, stopTyping, onlineUsers, history, `private`, chat, refreshToken, ping
  /// Of a client of the echo path.
  case echo
  /// No message of the protocol: it was refused before anything was done.
  case unreadable

  init(_ message: ClientMessage) {
    self =
      switch message {
      case .joinRoom: .joinRoom
      case .leaveRoom: .leaveRoom
      case .sendMessage: .sendMessage
      case .typing(_, let isTyping, _): isTyping ? .typing : .stopTyping
      case .onlineUsers: .onlineUsers
      case .history: .history
      case .private: .private
      case .chat: .chat
      case .refreshToken: .refreshToken
      case .ping: .ping
      }
  }
}
