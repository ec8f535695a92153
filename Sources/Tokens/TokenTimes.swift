/// When a token is good, in whole seconds since 1970.
///
/// Numeric dates may have a fraction (RFC 7519 section 2); it is rounded to the side that makes the token's life
/// shorter: a token also counts as issued as early as it may have been, for those who revoke it.
struct TokenTimes {
  let expires: Int64?
  let issued: Int64?
  /// Moments before which it is not good.
  private let beginnings: [Int64?]

  init(_ claims: JSONObject) throws(TokenError) {
    expires = try Self.date("exp", .down, in: claims)
    issued = try Self.date("iat", .down, in: claims)
    beginnings = [try Self.date("nbf", .up, in: claims), try Self.date("iat", .up, in: claims)]
  }

  func check(_ rules: TokenVerifier.Rules, now: Int64) throws(TokenError) {
    if let expires {
      guard now < expires else { throw .expired }
    } else if rules.requiresExpiry {
      throw .missingExpiry
    }
    for start in beginnings {
      if let start, start > now + rules.leeway { throw .notYetValid }
    }
  }

  private enum Side { case down, up }

  private static func date(_ name: String, _ side: Side, in claims: JSONObject) throws(TokenError) -> Int64? {
    guard claims.has(name) else { return nil }
    // Within this bound every whole second is exact, and sums with it cannot overflow.
    guard case .number(let text) = claims[name], let seconds = Double(text), abs(seconds) < 0x1p53 else {
      throw .badClaims
    }
    let whole = Int64(seconds)  // towards zero
    switch side {
    case .down: return Double(whole) > seconds ? whole - 1 : whole
    case .up: return Double(whole) < seconds ? whole + 1 : whole
    }
  }
}
