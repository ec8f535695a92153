/// Decides whether a token is good, and what it says. A value: share it between shards, replace it as a whole.
public struct TokenVerifier: Sendable {
  /// What a token must say besides being signed.
  public struct Rules: Equatable, Sendable {
    /// Whether a token without `exp` is refused.
    public var requiresExpiry = true
    /// Seconds by which `nbf` and `iat` may lie in the future: clocks differ. `exp` gets none, because the connection
    /// ends at that second too.
    public var leeway: Int64 = 30
    /// What `iss` must be, when set.
    public var issuer: String?
    /// What `aud` must be or contain, when set.
    public var audience: String?

    public init() {}
  }

  private let keys: [VerificationKey]
  private let rules: Rules

  /// - Parameter keys: at least one; several during a change of keys.
  public init(keys: [VerificationKey], rules: Rules = Rules()) {
    precondition(!keys.isEmpty, "without a key nothing can be verified")
    (self.keys, self.rules) = (keys, rules)
  }

  /// What the token says, if it is good.
  ///
  /// - Parameters:
  ///   - token: the token alone: no `Bearer`, no blanks.
  ///   - now: seconds since 1970.
  public func verify(_ token: borrowing RawSpan, now: Int64) throws(TokenError) -> Claims {
    let compact = try CompactToken(token)
    try checkSignature(compact, of: token)
    let claims = try compact.claims()
    let times = try TokenTimes(claims)
    try times.check(rules, now: now)
    try checkParties(claims)
    return try Claims(claims, times)
  }

  public func verify(_ token: [UInt8], now: Int64) throws(TokenError) -> Claims {
    unsafe try verify(token.span.bytes, now: now)
  }

  /// A key fits by its id, unless the key or the token has none; then each key that may fit is tried.
  private func checkSignature(_ compact: CompactToken, of token: borrowing RawSpan) throws(TokenError) {
    var verdict = TokenError.unknownKey
    for key in keys where key.id == nil || compact.keyID == nil || key.id == compact.keyID {
      guard key.algorithm.rawValue == compact.algorithm else {
        if verdict == .unknownKey { verdict = .wrongAlgorithm }
        continue
      }
      if key.verifies(compact.signature, over: compact.signedPart, of: token) { return }
      verdict = .badSignature
    }
    throw verdict
  }

  private func checkParties(_ claims: JSONObject) throws(TokenError) {
    if let issuer = rules.issuer {
      guard claims["iss"]?.string == issuer else { throw .wrongIssuer }
    }
    guard let audience = rules.audience else { return }
    switch claims["aud"] {
    case .string(audience): return
    case .array(let list) where list.contains(.string(audience)): return
    default: throw .wrongAudience
    }
  }
}
