/// A place in a room's run of offsets, as a client keeps it.
public struct Position: Hashable, Sendable, CustomStringConvertible {
  public var epoch: String
  public var offset: Int

  public init(_ epoch: String, _ offset: Int) { (self.epoch, self.offset) = (epoch, offset) }

  public var description: String { "\(epoch):\(offset)" }
}
