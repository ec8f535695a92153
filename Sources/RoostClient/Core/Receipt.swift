/// The answer to a message for a room: it is stored, and on its way to all members.
public struct Receipt: Sendable, Equatable {
  public var room: String
  /// Its number in the room's order.
  public var offset: Int
  public var epoch: String
  /// The server's id of the message; `nil` when only the place is known, because it was stored before.
  public var messageID: String?
  /// It was there before: this was a second try, or the id was used within two minutes.
  public var isDuplicate: Bool
}
