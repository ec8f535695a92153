public import RealtimeCore

/// Where Redis is, who this node is there, and how much may wait.
public struct RedisRelayConfiguration: Sendable, Equatable {
  public var server: RedisURL
  /// All nodes of a cluster must agree.
  public var topology = RelayTopology.broadcast
  /// Of the servers that rooms are spread over, which this is (from 1), and how many there are. All nodes must agree.
  public var serverNumber = 1
  public var serverCount = 1
  /// Unique in the cluster; 1 to 64 of `A-Z a-z 0-9 . _ -`. Becomes part of keys and frames.
  public let nodeID: String
  /// Before every key and channel; at most 32 of `A-Z a-z 0-9 . _ : -`.
  public let prefix: String
  /// Messages kept per room.
  public var historyMessages = 300
  /// Seconds a room's messages are kept after the last one (and up to a minute longer).
  public var historySeconds = 3_600
  /// How long a node lives without a heartbeat. All nodes of a cluster must agree.
  public var leaseMilliseconds = 6_000
  /// How often nodes beat. Twice as long a silence of all nodes is taken for an absence of Redis.
  public var heartbeatMilliseconds = 2_000
  /// A request without an answer for so long ends its connection.
  public var commandTimeoutMilliseconds = 1_000
  /// Requests without an answer. Over it: ``RelayFailure/unavailable``.
  public var pendingRequests = 4_096
  /// Bytes towards Redis that the kernel did not take yet. Over it: ``RelayFailure/unavailable``.
  public var unsentBytes = 16 * 1_024 * 1_024
  /// Bytes of one reply of Redis. Over it the connection is dropped, so it must hold the largest there is: many rooms
  /// are read at once, and each gets at least one message, however large.
  public var replyBytes = Script.readBytes + RelayLimits.roomsPerRead * RelayFrame.byteLimit + 2 * 1_024 * 1_024
  /// Bytes of frames that nobody took yet. Over it they are dropped, and ``RelayEvent/resubscribed`` tells.
  public var waitingFrameBytes = 64 * 1_024 * 1_024

  public init(server: RedisURL, nodeID: String, prefix: String = "ws:") throws(RedisConfigurationError) {
    guard (1...64).contains(nodeID.utf8.count), nodeID.utf8.allSatisfy({ Self.allows($0) && $0 != 0x3A }) else {
      throw RedisConfigurationError("a node id is 1 to 64 letters, digits, '.', '_' or '-'")
    }
    guard prefix.utf8.count <= 32, prefix.utf8.allSatisfy(Self.allows) else {
      throw RedisConfigurationError("a Redis prefix is at most 32 letters, digits, '.', '_', ':' or '-'")
    }
    (self.server, self.nodeID, self.prefix) = (server, nodeID, prefix)
  }

  var broadcastChannel: String { prefix + "broadcast" }
  func nodeChannel(_ node: String) -> String { prefix + "node:" + node }
  /// What stands before a room's name in the name of its channel.
  var roomChannels: String { prefix + "b:" }
  /// Where a frame for the room's members goes.
  func channel(of room: RoomName) -> String { topology == .rooms ? roomChannels + room.text : broadcastChannel }

  /// `rooms`, or `rooms:2/3` on the second of three servers.
  private var topologyWord: String {
    topology.rawValue + (serverCount == 1 ? "" : ":\(serverNumber)/\(serverCount)")
  }

  /// What the scripts' texts hold of these settings.
  public var scriptSettings: Script.Settings {
    Script.Settings(
      prefix: prefix, historyMessages: historyMessages, historySeconds: historySeconds,
      leaseMilliseconds: leaseMilliseconds, heartbeatMilliseconds: heartbeatMilliseconds,
      topology: topologyWord, hasRoomChannels: topology == .rooms)
  }

  private static func allows(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"): true
    default: false
    }
  }
}

/// What is wrong with the operator's settings, in words without the password.
public struct RedisConfigurationError: Error, Equatable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
