/// What a backend asks a node for, besides ending tokens and connections.
///
/// Payloads are one JSON value each, passed on byte for byte.
public enum BackendWish: Sendable, Equatable {
  /// A numbered, stored message of a room. `id` has at most ``ClientMessage/idLimit`` characters; the same one within
  /// two minutes names the same message. Empty: none.
  case publish(RoomName, payload: [UInt8], sender: Identity?, id: String)
  /// A `chat` for every connection on every node.
  case chat(payload: [UInt8], sender: Identity?)
  /// A `private` for every connection of a user.
  case message(user: String, payload: [UInt8], sender: Identity?)
  /// For every connection of a user; without one, for every connection.
  case notification(user: String?, title: String, body: String)

  /// Rooms with a member somewhere, by name, beginning behind `after`.
  case rooms(after: RoomName?, limit: Int)
  /// Who is in a room, and where its messages stand.
  case room(RoomName)
  case history(RoomName, limit: Int, before: Int?)
  /// On which nodes a user is.
  case user(String)
  case nodes

  /// The most bytes of a payload: with all that goes around it, it still fits one frame.
  public static let payloadBytes = 60 * 1_024
  /// The longest name of a sender, and the longest title and body of a notification, in UTF-8 bytes.
  public static let nameBytes = 256
  public static let titleBytes = 1_024
  public static let bodyBytes = 8 * 1_024
  /// The most rooms in one answer.
  public static let roomsLimit = 200

  /// Whether something is sent; else something is asked.
  var isMessage: Bool {
    switch self {
    case .publish, .chat, .message, .notification: true
    case .rooms, .room, .history, .user, .nodes: false
    }
  }
}
