import Tokens

extension ServerConfiguration {
  /// Which tokens are believed. The keys themselves are ``ServerConfiguration/keys``.
  public struct TokenSettings: Equatable, Sendable {
    /// Files as settings name them: see ``KeySource/Place``.
    public var publicKeyFiles = ""
    public var jwksFile = ""
    /// `https://…`: a key set that is fetched now and then.
    public var jwksURL = ""
    /// Certificates to trust for it, instead of the system's.
    public var jwksCAFile = ""
    /// Milliseconds for one fetch of it. No setting: who waits is a client at the door.
    public var jwksMilliseconds = 2_000
    /// Handshakes of one shard that may wait for keys on their way. Beyond, they are refused as if none were coming.
    public var waitingHandshakes = 256
    /// Whose keys those of key sets are, when others' tokens are signed with the other keys.
    public var jwksIssuers: [String] = []
    /// One of them must be `iss`; empty: anybody.
    public var issuers: [String] = []
    /// One of them must be in `aud`; empty: anything.
    public var audiences: [String] = []
    /// Seconds by which `nbf` and `iat` may lie in the future.
    public var leewaySeconds = 30

    public init() {}
  }

  /// The secret, when there is only one; otherwise the first.
  public var secret: [UInt8] {
    get { keys.first { $0.kind == .secret }?.bytes ?? [] }
    set {
      keys.removeAll { $0.kind == .secret }
      if !newValue.isEmpty { keys.insert(KeySource(.secret, KeySource.Place(""), newValue), at: 0) }
    }
  }

  /// The keys of all sources but the URL, in their order, and what is wrong with those that are none.
  var verificationKeys: (keys: [VerificationKey], problems: [String]) {
    keys.reduce(into: ([], [])) { all, source in
      let (keys, problems) = source.keys(issuers: setIssuers)
      all.0 += keys
      all.1 += problems
    }
  }

  /// Whom the keys of sets belong to; nil: to the same as all others.
  var setIssuers: [String]? { tokens.jwksIssuers.isEmpty ? nil : tokens.jwksIssuers }

  /// What tokens must say.
  var tokenRules: TokenVerifier.Rules {
    var rules = TokenVerifier.Rules()
    rules.requiresExpiry = requiresExpiry
    rules.leeway = Int64(tokens.leewaySeconds)
    (rules.issuers, rules.audiences) = (tokens.issuers, tokens.audiences)
    return rules
  }

  var tokenProblems: [String] {
    var problems = verificationKeys.problems
    if keys.isEmpty && tokens.jwksURL.isEmpty {
      problems.append(
        "there is no secret and no other key: set ROOST_SECRET, or --secret-file (make one: openssl rand -hex 32), "
          + "--public-key-file, --jwks-file or --jwks-url")
    }
    if !tokens.jwksURL.isEmpty && !Self.isPlainAddress(tokens.jwksURL) {
      problems.append("jwks-url: must be https://host[:port]/path, without a user")
    }
    return problems + developmentProblems
  }

  private static func isPlainAddress(_ url: String) -> Bool {
    guard url.hasPrefix("https://"), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
    let host = url.dropFirst("https://".count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return !host.isEmpty && !host.contains("@")
  }

  /// What an operator may have meant, and an attacker hopes for. A node says each when it starts.
  public var warnings: [String] {
    var warnings: [String] = []
    if !requiresExpiry { warnings.append("require-expiry is off: a stolen token is good for ever") }
    if origins == .any { warnings.append("origins is *: every web page may open connections") }
    if !tokens.jwksURL.isEmpty {
      if setIssuers == nil && tokens.issuers.isEmpty {
        warnings.append("jwks-url without issuer: tokens for any service of the same issuer's keys are believed")
      }
      if tokens.audiences.isEmpty {
        warnings.append("jwks-url without audience: tokens meant for other services are believed")
      }
    }
    if isDevelopment { warnings.append("development: whoever reaches this node gets a token for any name") }
    return warnings
  }
}
