/// Why a connection ends, as it appears in a close frame. An open set: peers may send numbers we have no name for.
public struct CloseCode: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  // RFC 6455, section 7.4.1

  /// The purpose is fulfilled.
  public static let normal = Self(rawValue: 1000)
  /// The server shuts down and its patience is over, or a browser leaves the page.
  public static let goingAway = Self(rawValue: 1001)
  /// The peer broke the framing rules.
  public static let protocolError = Self(rawValue: 1002)
  /// A kind of message that the receiver does not take.
  public static let unsupportedData = Self(rawValue: 1003)
  /// Never on the wire: stands for a close frame without a code.
  public static let noStatus = Self(rawValue: 1005)
  /// Never on the wire: stands for a connection that ended without a close frame.
  public static let abnormal = Self(rawValue: 1006)
  /// A text that is not UTF-8.
  public static let invalidPayload = Self(rawValue: 1007)
  /// Floods, fragment abuse, too many messages that are no JSON.
  public static let policyViolation = Self(rawValue: 1008)
  /// A message over the size limit.
  public static let messageTooBig = Self(rawValue: 1009)
  /// Sent by clients: the server did not agree to an extension they cannot do without.
  public static let mandatoryExtension = Self(rawValue: 1010)
  /// The server met a condition it did not expect.
  public static let internalError = Self(rawValue: 1011)
  /// The node is draining: come back, another one is there (IANA registry).
  public static let serviceRestart = Self(rawValue: 1012)
  /// Never on the wire: stands for a failed TLS handshake.
  public static let tlsFailure = Self(rawValue: 1015)

  // Ours. 4000...4499: the client comes back by itself. 4500...4999: it does not.

  /// The token's time is over and no new one was given.
  public static let tokenExpired = Self(rawValue: 4001)
  /// The client reads more slowly than its rooms talk; it resumes by position.
  public static let tooSlow = Self(rawValue: 4008)
  /// The client went on after it was told that it sends too fast.
  public static let rateLimitIgnored = Self(rawValue: 4029)
  /// A backend ended the connection.
  public static let disconnectedByBackend = Self(rawValue: 4500)
  /// The token was revoked.
  public static let revoked = Self(rawValue: 4501)

  /// Whether a close frame may carry this code: registered ones (1000–1003, 1007–1014) and 3000–4999. The others
  /// are reserved, or only stand for something that happened without a frame.
  public var isValidOnWire: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  /// Whether our clients connect again by themselves after this code.
  public var clientReconnects: Bool {
    switch rawValue {
    case 1001, 1006, 1012, 4000...4499: true
    default: false
    }
  }
}
