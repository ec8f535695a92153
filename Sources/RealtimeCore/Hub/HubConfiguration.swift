/// What a hub is told once, at its start.
public struct HubConfiguration: Sendable {
  /// Names this process in the cluster, unique for each start: `<node id>-<random>`, at most 19 characters of
  /// `[A-Za-z0-9._-]`, so that message ids made from it stay within 40.
  public var instance: String
  /// What a user may send on this node; `nil`: as much as he likes.
  public var rate: Rate? = UserRate.standard
  /// How often backends may send through this node, and ask it; `nil`: as often as they like.
  public var backendMessages: Rate?
  public var backendQuestions: Rate?
  /// What this node tells of itself.
  public var address = ""
  public var version = ""
  public var connectionsPerUser = 20
  /// Over which servers the relay spreads rooms. What is asked about rooms of several at once fails when one is away.
  public var spread = RoomSpread(servers: 1)
  /// The relay wants to be told which rooms have members here.
  public var followsRooms = false
  /// Milliseconds between losing a socket and telling others.
  public var leaveGrace: Int64 = 2_000
  /// Milliseconds between sending a connection away and telling others that its user left: what its client was told to
  /// wait at most, and the leave grace.
  public var returnGrace: Int64 = 3_000
  /// `nil`: connections stay where they are.
  public var rebalance: Rebalance.Rules?
  /// Messages that wait for the relay, over all rooms. More are refused with `RELAY_UNAVAILABLE`.
  public var outboxMessages = 1_000
  public var outboxBytes = 4 << 20
  /// While the relay is away, messages go to the members on this node: at once, unnumbered, marked and not stored.
  public var deliversLocally = false
  /// Messages a room remembers, and how many seconds each.
  public var historyMessages = 300
  public var historySeconds = 3_600
  /// Memory of what all rooms remember, in bytes; rooms that were used least recently lose theirs first.
  public var ringBytes = 256 << 20
  /// What a client that comes back gets at most of one room, in messages and bytes; if it missed more, it gets nothing.
  public var recoveryMessages = 300
  public var recoveryBytes = 1 << 20
  /// The most bytes of last messages in one answer; older ones are left out.
  public var historyBytes = 512 << 10
  /// What one connection may have been given of the past, in bytes, before it must take it to get more.
  public var replayBytes = 1 << 20

  /// Bytes of the longest ``instance``.
  public static let nameBytes = 19

  public init(instance: String) {
    precondition((1...Self.nameBytes).contains(instance.utf8.count))
    self.instance = instance
  }
}

/// The two clocks, read once per turn by the shell.
public struct Now: Sendable, Equatable {
  /// Milliseconds that only go forward: for deadlines.
  public var monotonic: Int64
  /// Milliseconds since 1970: for timestamps.
  public var wall: Int64
  /// The same moment as `monotonic`, finer: for measuring.
  public var nanoseconds: Int64

  public init(monotonic: Int64, wall: Int64) {
    (self.monotonic, self.wall, nanoseconds) = (monotonic, wall, monotonic &* 1_000_000)
  }

  /// `nanoseconds`: of the clock that only goes forward.
  public init(nanoseconds: Int64, wall: Int64) {
    (monotonic, self.wall, self.nanoseconds) = (nanoseconds / 1_000_000, wall, nanoseconds)
  }
}

/// What a hub counts, for the metrics page. Each is a total since the start.
public struct HubCounters: Sendable, Equatable {
  public var published = 0
  public var delivered = 0
  public var duplicates = 0
  public var relayFailures = 0
  public var gapReads = 0
  /// Rooms for which the answer to such a question brought what was missed.
  public var gapsFilled = 0
  /// Rooms, or one client's room, that were told of a loss, by its cause.
  public var resyncs: [ResyncCause: Int] = [:]
  /// Retries that members had been shown already, under an epoch that is over.
  public var repeats = 0
  public var foreignFrames = 0
  public var badFrames = 0
  public var fenced = 0
  public var reaped = 0
  /// Errors that clients were told, by code.
  public var errors: [ClientMistake.Code: Int] = [:]
  /// Messages that went to this node's members alone, because the relay was away.
  public var localDeliveries = 0
  /// Requests that the relay refused, by reason.
  public var refused: [RelayTrouble: Int] = [:]
  /// Joins with a position that were given all they had missed, and those that were told why not.
  public var recovered = 0
  public var notRecovered = 0
  /// Questions about a room's past that the room's memory could not answer.
  public var pastReads = 0
  /// From the moment a message was taken from its client to the one when it was known to be stored.
  public var relayLatency = DurationCounts()

  public init() {}
}

/// Why clients are told that they missed something: the words they read.
public enum ResyncCause: String, CaseIterable, Sendable {
  /// Another Redis, or one that lost what it knew.
  case epochChanged = "epoch_changed"
  /// More was missed than is remembered.
  case tooFar = "too_far"
  /// The relay knows less than it told before.
  case rollback
  /// Messages were dropped for a client that does not read.
  case slowConsumer = "slow_consumer"
}
