/// What arrived on the relay channel, read and checked, but not trusted.
///
/// Ranges point into the frame's bytes. `payload` and `sender` are whole JSON values; `timestamp`, `id`, `clientID`,
/// `node`, `epoch` and `token` are the contents of JSON strings. Only a frame whose `token` is the nodes' secret of
/// this Redis generation may be numbered or announce presence; to compare is the caller's part.
public struct RelayFrame: Equatable, Sendable {
  /// The most bytes of a client's or a backend's message that fit into a frame.
  public static let messageLimit = 65_536
  /// The most bytes a frame may have: a message and what we put around it. The name from a token of 4,096 bytes may
  /// take 9,000 when each of its characters is escaped; user, room and ids take 2,000 at most.
  public static let byteLimit = messageLimit + 16_384
  /// Keys a frame may have: what a client's message may have, and what we put around it.
  static let keyLimit = JSONScanner.keyLimit + 64
  /// More users than any room has.
  static let countLimit = 1_000_000_000

  /// What a frame is about.
  public enum Kind: CaseIterable, Equatable, Sendable {
    case newMessage, userJoined, userLeft, userTyping, userStoppedTyping, chat, `private`, notification
    /// Nodes among themselves: there are new revocations; close a user's connections; tell me.
    case revoked, disconnect, question

    /// The `type` on the wire.
    public var name: StaticString {
      switch self {
      case .newMessage: "new_message"
      case .userJoined: "user_joined"
      case .userLeft: "user_left"
      case .userTyping: "user_typing"
      case .userStoppedTyping: "user_stopped_typing"
      case .chat: "chat"
      case .private: "private"
      case .notification: "notification"
      case .revoked: "revoked"
      case .disconnect: "disconnect"
      case .question: "question"
      }
    }

    /// Whether such a frame is for the members of a room.
    public var needsRoom: Bool {
      switch self {
      case .newMessage, .userJoined, .userLeft, .userTyping, .userStoppedTyping: true
      case .chat, .private, .notification, .revoked, .disconnect, .question: false
      }
    }

    /// Whether such a frame is about the user in `sender`.
    public var needsSender: Bool { needsRoom && self != .newMessage }
  }

  public let kind: Kind
  /// There for every kind that ``Kind/needsRoom``; `nil` for the others, whatever the frame says.
  public let room: RoomName?
  public let payload: Range<Int>
  public let sender: Range<Int>?
  /// `sender.id`, decoded: 1 to 128 bytes. There whenever `sender` is.
  public let senderID: String?
  public let timestamp: Range<Int>?
  /// The server's message id.
  public let id: Range<Int>?
  /// The sender's own id of the message.
  public let clientID: Range<Int>?
  /// The connection to leave out, on the node that `node` names.
  public let origin: ConnectionID?
  /// The incarnation of the node that published the frame.
  public let node: Range<Int>?
  public let epoch: Range<Int>?
  /// The place in the room's order, 1 to ``RelayLimits/highestNumber``.
  public let offset: Int?
  public let token: Range<Int>?
  /// Who a `private` or `disconnect` frame (always) or a notification or question (maybe) is for or about.
  public let recipient: String?
  /// The room's presence version, 0 to ``RelayLimits/highestNumber``.
  public let version: Int?
  /// How many users the room has after a presence event.
  public let count: Int?
}

/// Why a frame from the relay channel was dropped.
public enum RelayFrameError: Error, CaseIterable, Equatable, Sendable {
  case tooLarge, malformed, tooComplex, unknownType, badRoom
  /// A key that is missing, or has a value of the wrong kind or size.
  case badField
}
