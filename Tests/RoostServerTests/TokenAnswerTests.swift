import Glibc
import RoostServer
import RoostTesting
import Telemetry
import Testing
import Tokens

/// Bad tokens get one answer, whatever is bad about them; operators see the reason.
@Suite("Answers to tokens", .timeLimit(.minutes(20)))
struct TokenAnswerTests {
  static let key = TestKey(.p256)

  static func minted(
    _ change: (inout Claims) -> Void = { _ in }, kid: String? = nil, secret: [UInt8] = testSecret,
    issuer: String? = "me", audience: String? = "chat"
  ) throws -> String {
    var claims = Claims(userID: "ann", expiresAt: Int64(time(nil)) + 3_600)
    change(&claims)
    var rules = TokenVerifier.Rules()
    (rules.issuers, rules.audiences) = ([issuer].compactMap(\.self), [audience].compactMap(\.self))
    return try TokenMinter(secret: secret, keyID: kid, rules: rules).mint(claims)
  }

  static func header(_ json: String) -> String { Base64URL.encode(Array(json.utf8)) + ".e30.AAAA" }

  /// A token for each reason that a node without a key set has.
  static func tokens() throws -> [(TokenError, String)] {
    [
      (.tooLong, String(repeating: "a", count: 4_097)), (.malformed, "a.b.c"),
      (.forbiddenHeader, header(#"{"alg":"HS256","jku":"https://evil.example"}"#)),
      (.wrongAlgorithm, header(#"{"alg":"none"}"#)), (.unknownKey, try minted(kid: "unknown")),
      (.badSignature, try minted(kid: "k", secret: Array(repeating: 7, count: 32))),
      (.missingExpiry, try minted { $0.expiresAt = nil }), (.expired, try minted { $0.expiresAt = 1 }),
      (.notYetValid, try minted { $0.issuedAt = Int64(time(nil)) + 1_000 }),
      (.wrongIssuer, try minted(issuer: "you")), (.wrongAudience, try minted(audience: nil)),
      (.badClaims, try minted { $0.userID = "" }),
    ]
  }

  @Test func `every cause has the same bytes, and a count of its own`() async throws {
    let configuration = configured {
      var place = KeySource.Place("")
      place.id = "k"
      $0.keys = [KeySource(.secret, place, testSecret)]
      ($0.tokens.issuers, $0.tokens.audiences) = (["me"], ["chat"])
    }
    try await withNode(configuration) { node throws in
      var answers: Set<String> = []
      let ask = { (lines: String) in
        var client = try TestClient(port: node.port)
        try client.send(TestClient.upgradeRequest("/ws", lines))
        let answer = try #require(try client.answer())
        #expect(answer.status == 401)
        let head = answer.head.split(separator: "\r\n").filter { !$0.hasPrefix("Date:") }
        answers.insert(head.joined(separator: "\n") + answer.body)
      }
      try ask("")
      for (_, token) in try Self.tokens() { try ask("Authorization: Bearer \(token)\r\n") }
      #expect(answers.count == 1)
      let metrics = try KeySetTests.metrics(node)
      for (reason, _) in try Self.tokens() {
        let name = "\(reason)".reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
        #expect(metrics.contains("roost_tokens_refused_total{reason=\"\(name)\"} 1\n"), "\(reason)")
      }
      #expect(try Self.tokens().count == TokenError.allCases.count - 1, "all but missing keys")
      #expect(try KeySetTests.status(node, Self.minted()) == 101)
    }
  }

  @Test func `old and new keys are good together`() async throws {
    let (a, b) = (Array(repeating: UInt8(1), count: 32), Array(repeating: UInt8(2), count: 32))
    let pem = TestKey(.rsa)
    let set = TestKey(.p384)
    let configuration = configured {
      $0.keys = [
        KeySource(.secret, .init("2025=/a"), a), KeySource(.secret, .init("2026=/b"), b),
        KeySource(.publicKey, .init("PS256:/c"), pem.publicPEM),
        KeySource(.publicKey, .init("rs=/c"), pem.publicPEM),
        KeySource(.keySet, .init("/d"), Array(TestKey.set([set.jwk(id: "set")]).utf8)),
      ]
    }
    let token = { (key: SigningKey, kid: String?) in
      try TokenMinter(key: key, keyID: kid).mint(Claims(userID: "ann", expiresAt: Int64(time(nil)) + 3_600))
    }
    try await withNode(configuration) { node throws in
      let good = [
        try token(SigningKey(secret: a), "2025"), try token(SigningKey(secret: b), "2026"),
        try token(SigningKey(secret: b), nil), try token(SigningKey(pem: pem.privatePEM, algorithm: .ps256), nil),
        try token(SigningKey(pem: pem.privatePEM), "rs"), try token(SigningKey(pem: set.privatePEM), "set"),
      ]
      for token in good { #expect(try KeySetTests.status(node, token) == 101) }
      let bad = [
        try token(SigningKey(secret: a), "2026"), try token(SigningKey(pem: pem.privatePEM, algorithm: .rs512), "rs"),
        try token(SigningKey(pem: set.privatePEM), "rs"),
      ]
      for token in bad { #expect(try KeySetTests.status(node, token) == 401) }
    }
  }

  @Test func `leeway is a setting`() async throws {
    let late = try Self.minted { $0.issuedAt = Int64(time(nil)) + 10_000 }
    for (seconds, status) in [(30, 401), (20_000, 101), (0, 401)] {
      try await withNode(configured { $0.tokens.leewaySeconds = seconds }) { node throws in
        #expect(try KeySetTests.status(node, late) == status)
      }
    }
  }

  @Test func `a node without a key, or with one that is none, does not start`() {
    for change in [
      { $0.keys = [] }, { $0.keys = [KeySource(.publicKey, .init("/k"), Self.key.privatePEM)] },
      { $0.tokens.jwksURL = "http://127.0.0.1/" },
    ] as [(inout ServerConfiguration) -> Void] {
      #expect(throws: Node.StartError.self) { try Node(configured(change), log: .init(level: .error)) }
    }
  }
}
