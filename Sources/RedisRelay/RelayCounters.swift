public import RealtimeCore

/// What a relay counts, for the metrics page. Each is a total since the start.
public struct RelayCounters: Sendable, Equatable {
  /// From handing a command to the connection to reading its answer.
  public var roundTrips = DurationCounts()
  /// Command connections given up, or that could not be made …
  public var commandFailures = 0
  /// … and those of the subscriber.
  public var subscriberFailures = 0
  /// Frames left out because too many came at once. Rooms ask for what they missed.
  public var droppedFrames = 0

  public init() {}

  /// Counts in what another relay counted.
  mutating func add(_ other: RelayCounters) {
    roundTrips.add(other.roundTrips)
    commandFailures += other.commandFailures
    subscriberFailures += other.subscriberFailures
    droppedFrames += other.droppedFrames
  }
}
