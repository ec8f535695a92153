import Glibc
import RoostServer
import RoostTesting
import Telemetry
import Testing

@testable import Tokens

/// Every way of showing a token that is none, by raw sockets: one answer for all, and a count of its own for each
/// reason.
/// More of each kind is in `TokensTests`.
@Suite("Token table", .timeLimit(.minutes(20)))
struct TokenTableTests {
  static let rsa = TestKey(.rsa)

  struct Row: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var reason: TokenError
    var make: @Sendable () throws -> String

    init(_ name: String, _ reason: TokenError, _ make: @escaping @Sendable () throws -> String) {
      (testDescription, self.reason, self.make) = (name, reason, make)
    }

    /// Signed with the node's secret, so that nothing but the header is wrong.
    init(_ name: String, _ reason: TokenError, header: String) {
      self.init(name, reason) { TokenTableTests.signed(header: header) }
    }

    /// Signed with the node's secret, so that nothing but a claim is wrong.
    init(_ name: String, _ reason: TokenError, claims: String) {
      self.init(name, reason) { TokenTableTests.signed(claims: claims) }
    }
  }

  static var later: String { "\(time(nil) + 3_600)" }

  static func signed(
    header: String = #"{"alg":"HS256"}"#, claims: String? = nil, secret: [UInt8] = testSecret,
    _ algorithm: Algorithm = .hs256
  ) -> String {
    let claims = claims ?? #"{"sub":"ann","exp":\#(later)}"#
    let input = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(claims.utf8))
    let bytes = Array(input.utf8)
    let signature = unsafe Signatures.hmac(algorithm, 0..<bytes.count, of: bytes.span.bytes, secret: secret)
    return input + "." + Base64URL.encode(signature)
  }

  /// A good token with something done to its text.
  static func changed(_ change: (String) -> String) -> String { change(signed()) }

  static let algorithms: [Row] = [
    Row("none", .wrongAlgorithm, header: #"{"alg":"none"}"#), Row("None", .wrongAlgorithm, header: #"{"alg":"None"}"#),
    Row("nOnE", .wrongAlgorithm, header: #"{"alg":"nOnE"}"#), Row("no algorithm", .malformed, header: "{}"),
    Row("none, without a signature", .malformed) {
      let token = signed(header: #"{"alg":"none"}"#)
      return String(token[...(token.lastIndex(of: ".") ?? token.startIndex)])
    },
    Row("hs256 in small letters", .wrongAlgorithm, header: #"{"alg":"hs256"}"#),
    Row("two algorithms", .malformed, header: #"{"alg":"none","alg":"HS256"}"#),
    Row("another algorithm of the same secret", .wrongAlgorithm) { signed(header: #"{"alg":"HS512"}"#, .hs512) },
    Row("the public key as a secret", .badSignature) { signed(secret: rsa.publicPEM) },
    Row("a secret's signature for the public key", .badSignature, header: #"{"alg":"RS256"}"#),
    Row("another algorithm of the public key", .wrongAlgorithm) {
      try TokenMinter(key: SigningKey(pem: rsa.privatePEM, algorithm: .ps256)).mint(
        Claims(userID: "ann", expiresAt: Int64(time(nil)) + 3_600))
    },
    Row("another secret", .badSignature) { signed(secret: Array(testSecret.reversed())) },
  ]

  static let headers: [Row] =
    [
      #""jku":"https://evil.example/keys""#, #""x5u":"https://evil.example/chain""#, #""jwk":{"kty":"oct","k":"AA"}"#,
      #""x5c":["MIIB"]"#, #""crit":["exp"]"#, #""kid":"../../dev/null""#, #""kid":"a' OR '1'='1""#, #""kid":"a|b""#,
      #""kid":"https://evil.example""#, #""kid":"""#, #""kid":7"#, #""kid":"a\u0000""#,
      #""kid":"\#(String(repeating: "k", count: 65))""#,
    ].map { Row("the header \($0)", .forbiddenHeader, header: #"{"alg":"HS256",\#($0)}"#) }
    + [Row("a key that nobody has", .unknownKey, header: #"{"alg":"RS256","kid":"unknown"}"#)]

  static let shapes: [Row] = [
    Row("two parts", .malformed) { changed { String($0.drop { $0 != "." }.dropFirst()) } },
    Row("four parts", .malformed) { changed { $0 + ".AAAA" } },
    Row("five parts, as of an encrypted one", .malformed) { changed { $0 + ".AAAA.AAAA" } },
    Row("no signature", .malformed) { changed { String($0[...($0.lastIndex(of: ".") ?? $0.startIndex)]) } },
    Row("padding", .malformed) { changed { $0 + "=" } },
    Row("the other base64", .malformed) { changed { $0.dropLast(4) + "ab+/" } },
    Row("bits behind the end", .malformed) { changed { $0.dropLast() + "B" } },
    Row("claims that are no object", .malformed, claims: "[]"),
    Row("a claim twice", .malformed, claims: #"{"sub":"ann","sub":"root","exp":4102444800}"#),
    Row("claims that are no JSON", .malformed, claims: #"{"sub":"ann","exp":4102444800,}"#),
    Row("deep claims", .malformed) { signed(claims: String(repeating: "[", count: 2_000)) },
    Row("4,097 bytes", .tooLong) {
      let short = signed(claims: #"{"sub":"ann","exp":\#(later),"x":""}"#)
      return short + String(repeating: "A", count: 4_097 - short.utf8.count)
    },
  ]

  static let claims: [Row] =
    [
      #""sub":"""#, #""sub":"\#(String(repeating: "s", count: 129))""#, #""sub":["ann"]"#, #""sub":true"#,
      #""sub":1.5"#, #""sub":"a\u0000b""#, #""sub":"a\nb""#, #""name":"no user""#, #""sub":"ann","name":7"#,
      #""sub":"ann","role":["admin"]"#, #""sub":"ann","rooms":"*""#, #""sub":"ann","rooms":{"join":["a b"]}"#,
      #""sub":"ann","iat":"now""#,
    ].map { Row("the claim \($0.prefix(40))", .badClaims, claims: #"{\#($0),"exp":4102444800}"#) }
    + [
      Row("no end", .missingExpiry, claims: #"{"sub":"ann"}"#),
      Row("an end in words", .badClaims, claims: #"{"sub":"ann","exp":"4102444800"}"#),
      Row("a negative end", .expired, claims: #"{"sub":"ann","exp":-1}"#),
      Row("a beginning to come", .notYetValid, claims: #"{"sub":"ann","exp":4102444800,"nbf":4102444000}"#),
      Row("made in the future", .notYetValid, claims: #"{"sub":"ann","exp":4102444800,"iat":4102444000}"#),
    ]

  @Test("opens nothing", arguments: algorithms + headers + shapes + claims)
  func table(row: Row) async throws {
    let configuration = configured { $0.keys.append(KeySource(.publicKey, .init("/rsa.pem"), Self.rsa.publicPEM)) }
    try await withNode(configuration) { node throws in
      var client = try TestClient(port: node.port)
      try client.send(TestClient.upgradeRequest("/ws", "Authorization: Bearer \(row.make())\r\n"))
      let answer = try #require(try client.answer())
      #expect(answer.status == 401 && answer.body == #"{"error":"\#(HandshakeTableTests.unauthorized)"}"#)
      #expect(answer.header("www-authenticate") == #"Bearer error="invalid_token""#)
      #expect(try client.isAtEnd())
      #expect(try metric("roost_tokens_refused_total{reason=\"\(row.reason.word)\"}", of: node) == 1)
      #expect(try KeySetTests.status(node, Self.signed()) == 101, "a good one does")
    }
  }

  /// A node that has no secret at all: what is public opens nothing.
  @Test func `a public key is no secret of a node that has no other`() async throws {
    let configuration = configured { $0.keys = [KeySource(.publicKey, .init("/rsa.pem"), Self.rsa.publicPEM)] }
    try await withNode(configuration) { node throws in
      for secret in [Self.rsa.publicPEM, Array(Self.rsa.publicPEM.dropLast())] {
        #expect(try KeySetTests.status(node, Self.signed(secret: secret)) == 401)
      }
      #expect(try metric("roost_tokens_refused_total{reason=\"wrong_algorithm\"}", of: node) == 2)
    }
  }
}
