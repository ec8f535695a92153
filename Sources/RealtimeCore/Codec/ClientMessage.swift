/// What a client may send, read from one message.
///
/// Ranges point into the message's bytes. `payload` is a whole JSON value. `id` is the contents of the client's id,
/// without the quotes and with its escapes as they were written, so that it can be given back byte for byte; to
/// compare two ids take ``idKey(_:in:)``.
public enum ClientMessage: Equatable, Sendable {
  case joinRoom(RoomName, JoinWish, id: Range<Int>?)
  case leaveRoom(RoomName, id: Range<Int>?)
  case sendMessage(RoomName, payload: Range<Int>, id: Range<Int>?)
  /// `isTyping` is false for `stop_typing`.
  case typing(RoomName, isTyping: Bool, id: Range<Int>?)
  case onlineUsers(RoomName, id: Range<Int>?)
  /// `limit` is 1 to 100; `before`: only what has a lower offset.
  case history(RoomName, limit: Int, before: Int?, id: Range<Int>?)
  /// `recipient` has 1 to 128 bytes.
  case `private`(recipient: String, payload: Range<Int>, id: Range<Int>?)
  case chat(payload: Range<Int>, id: Range<Int>?)
  /// The contents of the token's JSON string, escapes as they were written.
  case refreshToken(Range<Int>, id: Range<Int>?)
  case ping(id: Range<Int>?)

  /// The longest id, in Unicode scalars.
  public static let idLimit = 64

  /// A message that was refused, and the id to refuse it under when one could be read.
  public struct Refusal: Error, Equatable, Sendable {
    public let mistake: ClientMistake
    public let id: Range<Int>?
  }

  /// The client's id, whatever the message is.
  public var id: Range<Int>? {
    switch self {
    case .joinRoom(_, _, let id), .leaveRoom(_, let id), .onlineUsers(_, let id), .ping(let id): id
    case .history(_, _, _, let id): id
    case .refreshToken(_, let id): id
    case .sendMessage(_, _, let id), .typing(_, _, let id), .private(_, _, let id), .chat(_, let id): id
    }
  }

  /// The bytes that an id means: `a` and `\u0061` are the same id.
  public static func idKey(_ id: Range<Int>, in bytes: RawSpan) -> [UInt8] {
    JSONString(contents: id, in: bytes).decoded(in: bytes)
  }
}
