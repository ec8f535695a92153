import RealtimeCore
import Telemetry
import WebSocketCore

/// Why a node ends a WebSocket: the one table of codes, of words on the wire, and of what is counted.
enum CloseReason: Int, CountedReason {
  // the peer broke the protocol
  case protocolError, invalidUTF8, invalidCompression, messageTooBig, tooManyFragments, emptyFragments
  case tooManyBlocks
  // it obeys the protocol and is a burden
  case unfinishedMessage, controlFlood, invalidFormat, badTokens, rateLimitIgnored, tooSlow
  // it has no right to be here any more
  case tokenExpired, revoked, disconnected
  // the node goes, or has too many
  case draining, rebalancing, shuttingDown
  // without a close frame: nobody would read it
  case stalled, silent

  init(_ violation: ProtocolViolation) {
    self =
      switch violation {
      case .invalidUTF8: .invalidUTF8
      case .invalidCompression: .invalidCompression
      case .messageTooBig: .messageTooBig
      case .tooManyFragments: .tooManyFragments
      case .emptyFragments: .emptyFragments
      case .tooManyBlocks: .tooManyBlocks
      default: .protocolError
      }
  }

  init(_ cause: ClosingCause) {
    self =
      switch cause {
      case .rateLimitIgnored: .rateLimitIgnored
      case .revoked: .revoked
      case .disconnected: .disconnected
      case .sentAway: .draining
      }
  }

  var code: CloseCode { entry.code }
  /// What the close frame says; empty where the code says it all.
  var text: StaticString { entry.text }
  var labels: [String] { ["\(code.rawValue)", word] }
  /// When others hear that the user left: at once when he does not come back by himself, or must not.
  var departure: Departure {
    switch self {
    case .tokenExpired, .revoked, .disconnected: .left
    case .draining, .rebalancing, .shuttingDown: .sentAway
    default: .lost
    }
  }

  private var entry: (code: CloseCode, text: StaticString) {
    switch self {
    case .protocolError: (.protocolError, "")
    case .invalidUTF8, .invalidCompression: (.invalidPayload, "")
    case .messageTooBig: (.messageTooBig, "")
    case .tooManyFragments, .emptyFragments, .tooManyBlocks: (.policyViolation, "")
    case .unfinishedMessage: (.policyViolation, "message not complete in time")
    case .controlFlood: (.policyViolation, "too many control frames")
    case .invalidFormat: (.policyViolation, "too many messages that are no JSON")
    case .badTokens: (.policyViolation, "too many bad tokens")
    case .rateLimitIgnored: (.rateLimitIgnored, "rate limit ignored")
    case .tooSlow: (.tooSlow, "too slow")
    case .tokenExpired: (.tokenExpired, "token expired")
    case .revoked: (.revoked, "revoked")
    case .disconnected: (.disconnectedByBackend, "disconnected by the backend")
    case .draining: (.serviceRestart, "node is draining")
    case .rebalancing: (.serviceRestart, "rebalancing")
    case .shuttingDown: (.goingAway, "node is shutting down")
    case .stalled, .silent: (.abnormal, "")
    }
  }
}
