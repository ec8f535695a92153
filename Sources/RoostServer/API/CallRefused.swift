import HTTPCore
import Telemetry

/// A call to the API is turned away, with this answer.
struct CallRefused: Error {
  let reason: CallRefusalReason
  let response: Response

  init(_ reason: CallRefusalReason, _ response: Response) { (self.reason, self.response) = (reason, response) }

  /// What the caller wrote is not what the call wants.
  static func malformed(_ status: Status, _ why: String) -> CallRefused {
    CallRefused(.malformed, .error(status, why, keepAlive: true))
  }

  static func bad(_ why: String) -> CallRefused { malformed(.badRequest, why) }
}

/// Why a call to the API was turned away, for the metrics.
enum CallRefusalReason: Int, CountedReason {
  /// Neither a key nor a good token: 401.
  case credentials
  /// A token whose key is being fetched: 503.
  case noKeys
  /// A good token of somebody else than an admin: 403.
  case notAdmin
  /// An admin's, taken back: 401.
  case revoked
  /// Too many failed attempts of the address: 429.
  case tooManyAttempts
  /// The body, the query or what announces a body: 400, 413, 415, 417.
  case malformed
  /// The body did not come in time: 408.
  case timeout
  /// The hub gave no answer in time: 503.
  case noAnswer
  /// Good calls, but too many of them: 429.
  case tooOften
  /// Redis is away, or not every node answered: 503.
  case unavailable
  /// No node, or several, of the name that is given: 404, 409.
  case unknownNode
}
