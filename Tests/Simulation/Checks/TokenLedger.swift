import RealtimeCore

/// Tokens as the simulation gives them out: numbers, rising. A number is both the token's id and when it was issued.
final class TokenLedger {
  private var last = 0
  private var tokens: Set<Int> = []
  private var users: [Int: Int] = [:]

  func next() -> Int {
    last += 1
    return last
  }

  static func stamp(_ token: Int) -> TokenStamp { TokenStamp(id: "k\(token)", issuedAt: Int64(token)) }

  /// Somebody is about to revoke it.
  func revoke(_ token: Int) -> Revocation? {
    tokens.insert(token)
    return .token("k\(token)", until: Revocation.moments.upperBound)
  }

  /// … or all of a user's that were given out so far.
  func revoke(user: Int) -> Revocation? {
    users[user] = last
    return .user("u\(user)", issuedUntil: Int64(last), until: Revocation.moments.upperBound)
  }

  /// Whether anybody has ever revoked the user's token.
  func isRevoked(_ token: Int, of user: Int) -> Bool { tokens.contains(token) || token <= users[user] ?? 0 }
}
