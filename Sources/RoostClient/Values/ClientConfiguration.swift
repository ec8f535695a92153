/// Gives a token whenever one is needed. It may take its time; when it throws it is asked again later.
public typealias TokenSource = @Sendable (TokenReason) async throws -> String

/// What a client has to know, and its limits.
public struct ClientConfiguration: Sendable {
  /// `ws://host[:port]/ws` or `wss://…`; a name or a numeric address.
  public var url: String
  /// Whom to ask for tokens. `nil`: ``token`` is used as long as it is good.
  public var tokenSource: TokenSource?
  /// A fixed token; not looked at when there is a ``tokenSource``.
  public var token: String?
  public var trust = ClientTrust.system
  /// Further header fields of the handshake.
  public var headers: [(name: String, value: String)] = []

  /// How often the first connection is tried before ``RoostClient/connect()`` gives up; `nil`: for ever. Later
  /// connections are always tried for ever.
  public var firstAttempts: Int?
  /// The n-th pause between tries is drawn from 0 to `backoff × 2ⁿ`, at most to ``longestBackoff``.
  public var backoff = Duration.milliseconds(500)
  public var longestBackoff = Duration.seconds(30)
  /// How long connecting, TLS and the handshake may take together.
  public var openTimeout = Duration.seconds(10)
  /// How long an answer may take before the question is asked again, with the same id.
  public var answerTimeout = Duration.seconds(15)
  /// After so long a silence the server is asked whether it is there, and given up when it says nothing for as long.
  public var silence = Duration.seconds(30)

  /// Calls that may wait for their answers, 1 or more. Beyond: ``ClientError/tooMuchPending``.
  public var pendingMessages = 1_024
  /// Bytes of them. Beyond: ``ClientError/tooMuchPending``.
  public var pendingBytes = 4 << 20
  /// Messages that may be under way to the server at a time, 1 or more; the others wait for their acks.
  public var messagesUnderWay = 32
  /// Rooms at a time. Beyond: ``ClientError/tooMuchPending``. Servers take 100 for a connection unless told otherwise.
  public var rooms = 1_000
  /// Events that may wait to be taken, 16 or more. Beyond, messages of rooms are fetched again later and others are
  /// left out: see ``ClientEvent/skipped(_:)``.
  public var waitingEvents = 1_024
  /// The largest message that is taken from the server, in bytes; a larger one ends the connection.
  public var messageBytes = 4 << 20

  public init(url: String, token: String? = nil) { (self.url, self.token) = (url, token) }

  public init(url: String, tokenSource: @escaping TokenSource) {
    (self.url, self.tokenSource) = (url, tokenSource)
  }
}
