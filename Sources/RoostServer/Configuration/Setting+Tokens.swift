extension Setting {
  /// Which tokens are believed. The secret is not among them: see ``ConfigurationReader``.
  static let tokens: [Setting] = [
    .text(
      "public-key-file", "PEM public keys of tokens; RSA is RS256 unless said", form: "[kid=][ALG:]path between commas",
      \.tokens.publicKeyFiles),
    .text("jwks-file", "JSON Web Key Set of tokens", form: "a path", \.tokens.jwksFile),
    .text(
      "jwks-url", "JSON Web Key Set, fetched every 10 minutes and for unknown keys", form: "https://host[:port]/path",
      \.tokens.jwksURL),
    .text(
      "jwks-ca-file", "certificates to trust for jwks-url; empty: the system's", form: "a path", \.tokens.jwksCAFile),
    .number(
      "jwks-waiting", "handshakes of a thread that wait for keys to be fetched; over it: 401 or 503", 0...100_000,
      "handshakes", \.tokens.waitingHandshakes),
    .list("jwks-issuer", "iss of tokens signed with keys of a set; empty: as issuer", \.tokens.jwksIssuers),
    .list("issuer", "iss of tokens, one of these; empty: any", \.tokens.issuers),
    .list("audience", "aud of tokens, one of these; empty: any", \.tokens.audiences),
    .number(
      "leeway", "by which nbf and iat of tokens may lie ahead: clocks differ", 0...300, "seconds",
      \.tokens.leewaySeconds),
    .whether("require-expiry", "refuse tokens that never expire", \.requiresExpiry),
    .whether(
      "development", "give everybody a token for any name, to try things out; only at 127.0.0.1 or ::1", \.isDevelopment
    ),
  ]

  private static func list(_ name: String, _ meaning: String, _ place: Place<[String]>) -> Setting {
    Setting(name, meaning, form: "names between commas") {
      $0[keyPath: place].joined(separator: ",")
    } write: { text, configuration in
      configuration[keyPath: place] = text.split(separator: ",").map { String($0.drop { $0 == " " }) }
      return true
    }
  }
}
