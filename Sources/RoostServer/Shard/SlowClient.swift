/// A client that does not take what it gets as fast as it comes.
public struct SlowClient: Sendable, Equatable {
  /// The connection's id in hexadecimal digits: shard, generation, slot.
  public var connection: String
  /// The client's address, without the port.
  public var address: String
  /// What waits for it and counts against the queue's limit.
  public var bytes: Int
  public var messages: Int
  /// Messages of the past that wait for it; they count against no limit.
  public var replayMessages: Int
  /// Rooms whose messages it does not get until it was told that it missed some.
  public var mutedRooms: Int
  /// How long it has taken nothing.
  public var stalledMilliseconds: Int64
}
