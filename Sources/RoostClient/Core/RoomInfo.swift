/// A room at the moment it was joined.
public struct RoomInfo: Sendable, Equatable {
  public var room: String
  /// Who is there, oneself included; of more than 200 users 100.
  public var users: [RoomUser]
  /// How many there are.
  public var count: Int
  /// The next message of the room follows on this.
  public var position: Position
  /// Whether everything that was missed follows; `nil` when no position was given.
  public var recovered: Bool?
  /// Why not: `too_far`, `epoch_changed`, `rollback`.
  public var reason: String?
}
