import Testing

@testable import Tokens

/// Signatures that others made.
@Suite struct VectorTests {
  static func key(_ jwk: String, algorithm: Algorithm? = nil) throws -> VerificationKey {
    let jwk = algorithm.map { jwk.dropLast() + #","alg":"\#($0.rawValue)"}"# } ?? jwk
    return try #require(KeySet(Array(#"{"keys":[\#(jwk)]}"#.utf8), from: .file).keys.first)
  }

  static func verifier(_ jwk: String, algorithm: Algorithm? = nil) throws -> TokenVerifier {
    TokenVerifier(keys: [try key(jwk, algorithm: algorithm)])
  }

  static func verifies(_ key: VerificationKey, _ input: String, _ signature: String) throws -> Bool {
    let (input, text) = (Array(input.utf8), Array(signature.utf8))
    let bytes = try #require(unsafe Base64URL.decode(0..<text.count, of: text.span.bytes))
    return unsafe key.verifies(bytes, over: 0..<input.count, of: input.span.bytes)
  }

  /// The claims name no user, so a good signature shows in the refusal: claims are looked at last.
  @Test(arguments: [(Vectors.keyA2, Vectors.tokenA2), (Vectors.keyA3, Vectors.tokenA3)])
  func `RFC 7515 A.2 and A.3`(jwk: String, token: String) throws {
    let verifier = try Self.verifier(jwk)
    #expect(throws: TokenError.badClaims) { try verifier.verify(token, now: 1_300_819_379) }
    #expect(throws: TokenError.expired) { try verifier.verify(token, now: 1_300_819_380) }
    let changed = token.replacing(".eyJpc3MiOiJqb2Ui", with: ".eyJpc3MiOiJqb2Uj")
    #expect(throws: TokenError.badSignature) { try verifier.verify(changed, now: 0) }
  }

  @Test func `RFC 8037 A.4`() throws {
    let verifier = try Self.verifier(Vectors.keyEd25519)
    #expect(throws: TokenError.malformed) { try verifier.verify(Vectors.tokenEd25519) }
    let changed = Vectors.tokenEd25519.replacing(".RXh", with: ".RXi")
    #expect(throws: TokenError.badSignature) { try verifier.verify(changed) }
  }

  @Test func `RFC 7520 4.1 and 4.4`() throws {
    let rsa = try Self.key(Vectors.key41)
    #expect(try Self.verifies(rsa, "\(Vectors.header41).\(Vectors.frodo)", Vectors.signature41))
    #expect(try !Self.verifies(rsa, "\(Vectors.header41)..\(Vectors.frodo)", Vectors.signature41))
    let secret = try Self.key(Vectors.key44)
    #expect(try Self.verifies(secret, "\(Vectors.header44).\(Vectors.frodo)", Vectors.signature44))
    #expect(try !Self.verifies(secret, "\(Vectors.header41).\(Vectors.frodo)", Vectors.signature44))
  }

  @Test func `RFC 7520 4.2 and 4.3 are of kinds we refuse`() throws {
    for algorithm in [.rs256, .ps256] as [Algorithm] {
      let key = try Self.key(Vectors.key41, algorithm: algorithm)
      #expect(
        try !Self.verifies(key, "\(Vectors.header42PS384).\(Vectors.frodo)", Vectors.signature42PS384))
    }
    let token = signed(payload(""), header: #"{"alg":"PS384"}"#)
    #expect(throws: TokenError.wrongAlgorithm) { try Self.verifier(Vectors.key41).verify(token) }
    #expect(throws: KeyError.nothingUsable) { try Self.key(Vectors.key43P521) }
    let other = signed("{}", header: #"{"alg":"ES512"}"#)
    #expect(throws: TokenError.wrongAlgorithm) { try Self.verifier(Vectors.key44).verify(other) }
  }

  @Test(arguments: [
    (Vectors.rsa, Algorithm.rs384, Vectors.rs384), (Vectors.rsa, .rs512, Vectors.rs512),
    (Vectors.rsa, .ps256, Vectors.ps256), (Vectors.p384, .es384, Vectors.es384),
  ])
  func `another implementation's public key signatures`(jwk: String, algorithm: Algorithm, token: String) throws {
    #expect(try Self.verifier(jwk, algorithm: algorithm).verify(token).userID == "ann")
    let others = algorithm.family.algorithm == algorithm ? [] : [nil, Algorithm.rs256]
    for other in others {
      #expect(throws: TokenError.wrongAlgorithm) { try Self.verifier(jwk, algorithm: other).verify(token) }
    }
  }

  @Test(arguments: [(Algorithm.hs384, Vectors.hs384), (.hs512, Vectors.hs512)])
  func `another implementation's secret signatures`(algorithm: Algorithm, token: String) throws {
    let key = try VerificationKey(secret: Array(Vectors.secret.utf8), algorithm: algorithm)
    #expect(try TokenVerifier(keys: [key]).verify(token).userID == "ann")
    let plain = try VerificationKey(secret: Array(Vectors.secret.utf8))
    #expect(throws: TokenError.wrongAlgorithm) { try TokenVerifier(keys: [plain]).verify(token) }
  }
}
