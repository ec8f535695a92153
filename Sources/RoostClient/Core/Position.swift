/// How far somebody has read in a room: keep it to go on there later, in another client, on any node.
public struct Position: Sendable, Hashable {
  /// Which run of offsets; they begin anew when the room's history was lost.
  public var epoch: String
  /// Of the last message that was got; 0: none yet.
  public var offset: Int

  public init(epoch: String, offset: Int) { (self.epoch, self.offset) = (epoch, offset) }
}
