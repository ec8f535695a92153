/// What a client tells, in the order in which it happened.
public enum ClientEvent: Sendable, Equatable {
  /// The connection came, went, or ended for good.
  case connection(ConnectionState)
  /// A message of a joined room: each once and in order, over all connections.
  case message(RoomMessage)
  /// Messages of the room are lost to us, for the reason given (`too_far`, `epoch_changed`, `rollback`, …). What
  /// follows begins after `position`.
  case missed(room: String, reason: String, position: Position)
  /// The room was joined again after a new connection: who is there now.
  case rejoined(RoomInfo)
  /// We are out of the room and did not ask for it: a new token does not open it, or the server refused to let us in
  /// again, which is the error.
  case expelled(room: String, ClientError?)
  /// Somebody came into a room, with his first connection, or left it with his last.
  case userJoined(room: String, RoomUser)
  case userLeft(room: String, RoomUser)
  /// In rooms of more than 200 users, instead of the two above.
  case userCount(room: String, Int)
  case typing(room: String, RoomUser, isTyping: Bool)
  case direct(DirectMessage)
  case chat(DirectMessage)
  case notification(title: String, body: String)
  /// Whether messages can be delivered at the moment.
  case relay(isDegraded: Bool)
  /// The node is about to stop; the connection will move.
  case draining
  /// The token ends then (RFC 3339); only told when there is no ``TokenSource`` that gives a new one.
  case tokenExpiring(at: String)
  /// An error that belongs to no call.
  case refusal(ClientError)
  /// So many events without a place in an order (presence, typing, and beyond twice the limit any) were left out,
  /// because nobody took them. Messages of rooms are not among them: those are fetched again.
  case skipped(Int)
  /// A type of message that this version does not know.
  case other(type: String, room: String?, payload: JSONText?)
}
