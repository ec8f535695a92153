/// Who is in a room, over all nodes.
public struct RoomMembers: Sendable, Equatable {
  public var room: String
  /// Of more than 200 users 100.
  public var users: [RoomUser]
  /// How many there are.
  public var count: Int
}
