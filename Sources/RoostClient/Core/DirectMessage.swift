/// A message for a user or for everybody, which is not stored.
public struct DirectMessage: Sendable, Equatable {
  /// `nil` when a backend sent it in nobody's name.
  public var sender: RoomUser?
  public var payload: JSONText
  /// RFC 3339, UTC, with milliseconds.
  public var timestamp: String

  /// `payload.content`, when that is a text.
  public var content: String? { payload["content"]?.string }
}
