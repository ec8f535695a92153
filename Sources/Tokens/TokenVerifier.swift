/// Decides whether a token is good, and what it says. A value: share it between shards, replace it as a whole.
public struct TokenVerifier: Sendable {
  /// What a token must say besides being signed.
  public struct Rules: Equatable, Sendable {
    /// Whether a token without `exp` is refused.
    public var requiresExpiry = true
    /// Seconds by which `nbf` and `iat` may lie in the future: clocks differ. `exp` gets none, because the connection
    /// ends at that second too.
    public var leeway: Int64 = 30
    /// One of them must be `iss`, when there are any. A key with ``VerificationKey/issuers`` of its own goes by those.
    public var issuers: [String] = []
    /// One of them must be `aud`, or in it, when there are any.
    public var audiences: [String] = []

    public init() {}
  }

  private let keys: [VerificationKey]
  private let rules: Rules
  private let isMissingKeys: Bool

  /// Signatures checked for one token at most. A token that names its key needs one; who names none is not to buy as
  /// many checks as there are keys.
  static let mostChecks = 4

  /// - Parameters:
  ///   - keys: several during a change of keys; those that come first are tried first.
  ///   - isMissingKeys: whether there should be more, so that a token that none of these fits is refused as
  ///     ``TokenError/missingKeys``, and not as bad.
  public init(keys: [VerificationKey], rules: Rules = Rules(), isMissingKeys: Bool = false) {
    precondition(!keys.isEmpty || isMissingKeys, "without a key nothing can be verified")
    (self.keys, self.rules, self.isMissingKeys) = (keys, rules, isMissingKeys)
  }

  /// What the token says, if it is good.
  ///
  /// - Parameters:
  ///   - token: the token alone: no `Bearer`, no blanks.
  ///   - now: seconds since 1970.
  public func verify(_ token: borrowing RawSpan, now: Int64) throws(TokenError) -> Claims {
    let compact = try CompactToken(token)
    let key = try signer(compact, of: token)
    let claims = try compact.claims()
    let times = try TokenTimes(claims)
    try times.check(rules, now: now)
    try checkParties(claims, key)
    return try Claims(claims, times)
  }

  public func verify(_ token: [UInt8], now: Int64) throws(TokenError) -> Claims {
    unsafe try verify(token.span.bytes, now: now)
  }

  /// The key that verifies the signature. A key fits by its id, unless the key or the token has none; then each key
  /// that may fit is tried.
  private func signer(_ compact: CompactToken, of token: borrowing RawSpan) throws(TokenError) -> VerificationKey {
    guard let algorithm = Algorithm(rawValue: compact.algorithm) else { throw .wrongAlgorithm }
    var verdict = TokenError.unknownKey
    var isNamed = false
    var checks = 0
    for key in keys where key.id == nil || compact.keyID == nil || key.id == compact.keyID {
      isNamed = isNamed || key.id != nil && key.id == compact.keyID
      guard key.algorithm == algorithm else {
        if verdict == .unknownKey { verdict = .wrongAlgorithm }
        continue
      }
      guard checks < Self.mostChecks else { break }
      checks += 1
      if key.verifies(compact.signature, over: compact.signedPart, of: token) { return key }
      verdict = .badSignature
    }
    // What another key might verify is not known to be bad.
    if isMissingKeys && !isNamed && algorithm.family != .secret { throw .missingKeys }
    throw isNamed || compact.keyID == nil ? verdict : .unknownKey
  }

  private func checkParties(_ claims: JSONObject, _ key: VerificationKey) throws(TokenError) {
    let issuers = key.issuers ?? rules.issuers
    if !issuers.isEmpty {
      guard let issuer = claims["iss"]?.string, Self.contains(issuers, issuer) else { throw .wrongIssuer }
    }
    guard !rules.audiences.isEmpty else { return }
    let named: [JSONValue] =
      switch claims["aud"] {
      case .array(let list): list
      case let value?: [value]
      case nil: []
      }
    guard named.contains(where: { $0.string.map { Self.contains(rules.audiences, $0) } ?? false }) else {
      throw .wrongAudience
    }
  }

  /// By bytes: names that only look the same are two (RFC 7519 section 7.3).
  private static func contains(_ names: [String], _ name: String) -> Bool {
    names.contains { $0.utf8.elementsEqual(name.utf8) }
  }
}
