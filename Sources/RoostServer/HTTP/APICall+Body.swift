import HTTPCore
import RealtimeCore
import Tokens

// What callers write into bodies. A member that nobody knows is refused: a misspelt one would be taken for absent.
extension APICall {
  /// `{"token_id": …}` or `{"user_id": …}`, perhaps with `"until"`: what is to be revoked.
  ///
  /// - Parameter now: seconds since 1970.
  func revocation(now: Int64) throws(CallRefused) -> Revocation {
    let members = try members(["token_id", "user_id", "until"])
    let until = try Self.until(members["until"], now: now)
    let revocation: Revocation? =
      switch (members["token_id"], members["user_id"]) {
      case (.string(let token)?, nil): .token(token, until: until)
      case (nil, .string(let user)?): .user(user, issuedUntil: now, until: until)
      default: throw Self.bad("token_id or user_id is wanted, a string")
      }
    guard let revocation else { throw Self.bad("an id has 1 to 128 bytes") }
    return revocation
  }

  /// `{"reason": …}` or nothing: what the clients are told.
  func reason() throws(CallRefused) -> String {
    guard bodyBytes > 0 else { return "disconnected" }
    switch try members(["reason"])["reason"] {
    case .string(let reason)? where reason.utf8.count <= 123: return reason
    case nil: return "disconnected"
    default: throw Self.bad("reason is a string of at most 123 bytes")
    }
  }

  /// How long a revocation is kept when its caller does not say, in seconds: 30 days.
  static let revocationSeconds: Int64 = 30 * 86_400

  private static func until(_ value: JSONValue?, now: Int64) throws(CallRefused) -> Int64 {
    guard let value else { return now + revocationSeconds }
    guard case .number(let text) = value, let until = Int64(text), Revocation.moments.contains(until) else {
      throw bad("until is a time in whole seconds since 1970")
    }
    guard until > now else { throw bad("until is over") }
    return until
  }

  func members(_ known: Set<String>) throws(CallRefused) -> JSONObject {
    guard let object = JSONObject(body) else { throw Self.bad("the body is not one JSON object") }
    guard known.isSuperset(of: object.names) else { throw Self.bad("the body has a member that is not known") }
    return object
  }

  private static func bad(_ why: String) -> CallRefused { .malformed(.badRequest, why) }
}
