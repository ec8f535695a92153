public import HTTPCore
public import RealtimeCore
public import Tokens

/// Everything a node can be told. A plain value: build it, change it, compare it, print it.
public struct ServerConfiguration: Equatable, Sendable {
  /// Limits of SPEC section 3. Each has a written answer to "and when it is full?".
  public struct Limits: Equatable, Sendable {
    /// Largest message a client may send, in bytes. Over it: close 1009, decided from the header.
    public var messageBytes = 4_096
    /// Fragments of one message. Over it: close 1008.
    public var fragments = 64
    /// Seconds in which a fragmented message must be complete. Over it: close 1008.
    public var fragmentSeconds = 5
    /// Messages waiting for one client. Over it: ``slowConsumer`` says.
    public var queueMessages = 256
    /// Bytes waiting for one client. Over it: ``slowConsumer`` says.
    public var queueBytes = 1_048_576
    public var slowConsumer = SlowConsumer.disconnect
    /// Messages a user may send at once on this node; 0 switches the rate limit off.
    public var rateBurst = 10
    /// Messages a user may send each second on this node, in the long run.
    public var ratePerSecond = 1.0
    /// What backends may send through this node, and ask it, each second; a second's worth at once. Over it: 429.
    /// 0: as much as they like.
    public var apiMessagesPerSecond = 500
    public var apiQuestionsPerSecond = 50
    /// Largest payload in a message. Over it: `PAYLOAD_TOO_LARGE`. 0: the message's size is the only limit.
    public var payloadBytes = 0
    /// Bytes a client may send each second in the long run, four times as many at once. Over it: it is not read until
    /// that is no longer so. 0: no such limit.
    public var bytesPerSecond = 65_536
    /// What one connection may do; see `Conduct.Rules`. Over it: `RATE_LIMITED`, and 4029 for who goes on …
    public var controlPerSecond = 5
    public var questionsPerSecond = 5
    public var newRoomsPerMinute = 60
    public var returnsPerMinute = 10
    /// … but too much typing is dropped …
    public var typingPerSecond = 2
    /// … and too many control frames close with 1008.
    public var framesPerSecond = 10
    /// What a client that comes back gets at most of one room. Over it: `too_far`.
    public var recoveryMessages = 300
    public var recoveryBytes = 1 << 20
    public var roomsPerConnection = 100
    public var connectionsPerUser = 20
    public var connectionsPerAddress = 100
    /// New connections of one address per second, in the long run; bursts of four times as many pass.
    public var connectsPerAddressPerSecond = 50
    /// Handshakes of this node per second, in the long run; bursts of a second's worth pass. 0: as many as come.
    public var connectsPerSecond = 0
    /// Connections whose first request is not complete; over it the oldest of them goes. 0: a quarter of all.
    public var handshakes = 0
    /// Connections of this node; 0: what the descriptor limit allows, less a reserve.
    public var connections = 0
    public var historyMessages = 300
    public var historySeconds = 3_600
    public var historyBytes = 256 << 20

    public init() {}
  }

  /// What becomes of a client whose queue is full.
  public enum SlowConsumer: String, Sendable, CaseIterable {
    /// Close 4008; the client comes back and resumes by its positions.
    case disconnect
    /// Messages of rooms are dropped, and when it has read half of what waits it is told by `resync`. Answers and
    /// messages to the client alone are never dropped: with twice the limit waiting it is closed with 4008 after all.
    case drop
  }

  /// Times of SPEC section 3, in seconds.
  public struct Times: Equatable, Sendable {
    /// A handshake request must be complete.
    public var handshake = 5
    /// Bytes must leave towards a client that does not read.
    public var write = 10
    /// Silence after which the connection is dropped.
    public var pong = 60
    /// Silence after which a ping is sent.
    public var ping = 54
    /// How long a closing handshake may take before the socket is dropped.
    public var close = 2

    public init() {}
  }

  /// An echo endpoint for trying out; it has limits of its own because conformance suites send large messages.
  public struct Echo: Equatable, Sendable {
    public var isEnabled = false
    public var path = "/echo"
    public var messageBytes = 64 * 1_024 * 1_024
    public var fragments = 1 << 20

    public init() {}
  }

  /// permessage-deflate, for clients that offer it.
  public struct Compression: Equatable, Sendable {
    public var isEnabled = false
    /// Messages of fewer bytes are sent as they are.
    public var thresholdBytes = 256
    /// 1 (fast) to 9 (small), zlib's.
    public var level = 3

    public init() {}
  }

  /// What `Origin` headers are let in. A request without `Origin` is not a browser's and passes.
  public enum Origins: Equatable, Sendable {
    case sameOrigin
    case listed([String])
    case any
  }

  /// The port speaks TLS when this is set.
  public var tls = KeyFiles()
  public var host = "0.0.0.0"
  /// 0: any free port.
  public var port: UInt16 = 8080
  /// Unique in the cluster; its last ten characters are followed by random letters. Empty: `node`.
  public var nodeID = ""
  /// Loops that serve clients; 0: one per core.
  public var shards = 0
  /// `redis://`, `rediss://`, `unix://`; empty: no Redis, one node with the same promises from memory.
  public var redisURL = ""
  public var redisPrefix = "ws:"
  /// How what is said in a room finds the nodes with its members.
  public var relayTopology = RelayTopology.broadcast
  /// Besides a password in the URL; empty: none.
  public var redisPassword = ""
  /// For `rediss://`.
  public var redisTLS = RedisTLS()
  /// While Redis is away, a message goes to the members on this node instead of being refused.
  public var deliversWhenDegraded = false
  /// What tokens are verified with, besides ``TokenSettings/jwksURL``.
  public var keys: [KeySource] = []
  public var tokens = TokenSettings()
  /// Keys of the HTTP API, 32 to 512 visible ASCII characters each; without any, only admins' tokens open it.
  public var apiKeys: [[UInt8]] = []
  /// Where `/metrics` and `/api` are when ``adminPort`` is set.
  public var adminHost = "127.0.0.1"
  /// `nil`: on the main port; 0: any free port.
  public var adminPort: UInt16?
  public var requiresExpiry = true
  /// Gives everybody who asks a token for any name, of an admin too: for trying things out on one machine.
  public var isDevelopment = false
  public var origins = Origins.sameOrigin
  /// Whose word about the address of a client counts.
  public var trustedProxies: [NetworkRange] = []
  /// Trusted proxies begin each connection with the PROXY protocol; without, they name clients in `X-Forwarded-For`.
  public var expectsProxyHeader = false
  public var echo = Echo()
  public var compression = Compression()
  public var limits = Limits()
  public var times = Times()
  /// Rooms of tokens that do not name any; `nil` for any room.
  public var defaultRooms = RoomGrants()
  /// `chat` is for admins only unless this is set.
  public var everybodyMayChat = false
  /// Seconds between losing a socket and telling others that its user left.
  public var leaveGraceSeconds = 2.0
  public var drain = Drain()
  public var logsJSON = false
  public var logLevel = "info"

  public init() {}
}

/// Secrets do not get into logs by being printed.
extension ServerConfiguration: CustomStringConvertible, CustomReflectable {
  public var description: String { ConfigurationText.effective(self) }
  public var customMirror: Mirror { Mirror(self, children: ["settings": description]) }
}
