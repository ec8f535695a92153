/// Last messages of a room, in order, one's own included.
public struct RoomHistory: Sendable, Equatable {
  public var room: String
  public var epoch: String
  public var messages: [RoomMessage]
}
