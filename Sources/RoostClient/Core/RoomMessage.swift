/// A message of a room.
public struct RoomMessage: Sendable, Equatable {
  public var room: String
  /// Its number in the room's order; `nil` when it was not stored (from another program, or while the relay is away).
  public var offset: Int?
  /// The server's id, the same wherever and however often the message is read; empty when it has none.
  public var id: String
  /// `nil` when a backend sent it in nobody's name.
  public var sender: RoomUser?
  public var payload: JSONText
  /// RFC 3339, UTC, with milliseconds.
  public var timestamp: String
  /// The id its sender gave it; only on one's own messages, from another device or an earlier connection.
  public var clientID: String?

  /// `payload.content`, when that is a text: what chats send.
  public var content: String? { payload["content"]?.string }
}
