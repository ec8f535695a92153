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

  /// The code that programs compare, and mistakes are counted by.
  public enum Code: Int, CaseIterable, Sendable {
    case invalidFormat, unknownType, missingRoom, notInRoom, invalidPayload, invalidRoom, invalidID
    case tooComplex, payloadTooLarge, roomLimit, forbidden, rateLimited, relayUnavailable

    /// As clients read it.
    public var name: StaticString {
      switch self {
      case .invalidFormat: "INVALID_FORMAT"
      case .unknownType: "UNKNOWN_TYPE"
      case .missingRoom: "MISSING_ROOM"
      case .notInRoom: "NOT_IN_ROOM"
      case .invalidPayload: "INVALID_PAYLOAD"
      case .invalidRoom: "INVALID_ROOM"
      case .invalidID: "INVALID_ID"
      case .tooComplex: "TOO_COMPLEX"
      case .payloadTooLarge: "PAYLOAD_TOO_LARGE"
      case .roomLimit: "ROOM_LIMIT"
      case .forbidden: "FORBIDDEN"
      case .rateLimited: "RATE_LIMITED"
      case .relayUnavailable: "RELAY_UNAVAILABLE"
      }
    }
  }

  public var code: Code { entry.code }

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

  private var entry: (code: Code, message: StaticString) {
    switch self {
    case .invalidFormat: (.invalidFormat, "invalid message format")
    case .unknownType: (.unknownType, "unknown message type: ")
    case .missingRoom: (.missingRoom, "room is required for sending messages")
    case .notInRoom: (.notInRoom, "you must join the room first")
    case .invalidPayload: (.invalidPayload, "invalid room payload")
    case .invalidRoom: (.invalidRoom, "a room is 1 to 128 of A-Z a-z 0-9 . _ : -")
    case .invalidID: (.invalidID, "an id is a string of 1 to 64 characters")
    case .tooComplex: (.tooComplex, "message is too deep or has too many keys")
    case .payloadTooLarge: (.payloadTooLarge, "payload is too large")
    case .roomLimit: (.roomLimit, "too many rooms")
    case .forbidden: (.forbidden, "not allowed")
    case .rateLimited: (.rateLimited, "too many messages")
    case .relayUnavailable: (.relayUnavailable, "outcome unknown, send again with the same id")
    case .deliveredLocally: (.relayUnavailable, "delivered on this node only, and not stored: do not send it again")
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
