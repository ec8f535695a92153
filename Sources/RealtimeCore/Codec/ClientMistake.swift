/// What a client did wrong, or what we could not do for it. The connection stays open; the client is told.
///
/// Closed set; the one table of codes and words is `entry` below.
public enum ClientMistake: Error, Equatable, Sendable {
  case invalidFormat
  /// With the type as the client wrote it, decoded and cut by ``init(unknownType:in:)``.
  case unknownType(String)
  case missingRoom, notInRoom, invalidPayload, invalidRoom, invalidID
  case tooComplex, payloadTooLarge, roomLimit, forbidden
  case rateLimited(retryAfterMilliseconds: Int)
  /// The outcome is unknown: send again with the same id.
  case relayUnavailable(retryAfterMilliseconds: Int? = nil)
  /// The relay is away and the node delivers by itself: there is nothing to send again.
  case deliveredLocally

  /// The code that programs compare.
  public var code: StaticString { entry.code }

  /// The words for people. For an unknown type the type follows them.
  public var message: StaticString { entry.message }

  /// When it makes sense to try again, in milliseconds from now.
  public var retryAfterMilliseconds: Int? {
    switch self {
    case .rateLimited(let wait): wait
    case .relayUnavailable(let wait): wait
    default: nil
    }
  }

  private var entry: (code: StaticString, message: StaticString) {
    switch self {
    case .invalidFormat: ("INVALID_FORMAT", "invalid message format")
    case .unknownType: ("UNKNOWN_TYPE", "unknown message type: ")
    case .missingRoom: ("MISSING_ROOM", "room is required for sending messages")
    case .notInRoom: ("NOT_IN_ROOM", "you must join the room first")
    case .invalidPayload: ("INVALID_PAYLOAD", "invalid room payload")
    case .invalidRoom: ("INVALID_ROOM", "a room is 1 to 128 of A-Z a-z 0-9 . _ : -")
    case .invalidID: ("INVALID_ID", "an id is a string of 1 to 64 characters")
    case .tooComplex: ("TOO_COMPLEX", "message is too deep or has too many keys")
    case .payloadTooLarge: ("PAYLOAD_TOO_LARGE", "payload is too large")
    case .roomLimit: ("ROOM_LIMIT", "too many rooms")
    case .forbidden: ("FORBIDDEN", "not allowed")
    case .rateLimited: ("RATE_LIMITED", "too many messages")
    case .relayUnavailable: ("RELAY_UNAVAILABLE", "outcome unknown, send again with the same id")
    case .deliveredLocally: ("RELAY_UNAVAILABLE", "delivered on this node only, and not stored: do not send it again")
    }
  }
}

extension ClientMistake {
  /// The most of an unknown type that is shown, in UTF-8 bytes.
  public static let shownTypeBytes = 64

  init(_ problem: JSONProblem) { self = problem == .tooComplex ? .tooComplex : .invalidFormat }

  /// Shows the type's first 64 bytes at most, cut between characters.
  init(unknownType type: JSONString, in bytes: RawSpan) {
    let decoded = type.decoded(in: bytes)
    var end = min(decoded.count, Self.shownTypeBytes)
    while end < decoded.count, end > 0, decoded[end] & 0xC0 == 0x80 { end -= 1 }
    self = .unknownType(String(decoding: decoded[..<end], as: UTF8.self))
  }
}
