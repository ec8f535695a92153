import RoostTesting
import Testing

@testable import Tokens

/// A key speaks for its issuers and for nobody else, whatever names keys share.
@Suite struct IssuerTests {
  static func token(_ secret: [UInt8], issuer: String?, kid: String? = "a") throws -> String {
    var rules = TokenVerifier.Rules()
    rules.issuers = [issuer].compactMap(\.self)
    return try TokenMinter(secret: secret, keyID: kid, rules: rules).mint(Claims(userID: "ann", expiresAt: now + 60))
  }

  @Test func `the same key id of two issuers is two keys`() throws {
    let theirs = SecureRandom.bytes(32)
    var (ours, others) = (try VerificationKey(secret: secret, id: "a"), try VerificationKey(secret: theirs, id: "a"))
    (ours.issuers, others.issuers) = (["us"], ["them"])
    for keys in [[ours, others], [others, ours]] {
      let verifier = TokenVerifier(keys: keys)
      for kid in ["a", nil] {
        #expect(try verifier.verify(Self.token(secret, issuer: "us", kid: kid)).userID == "ann")
        #expect(try verifier.verify(Self.token(theirs, issuer: "them", kid: kid)).userID == "ann")
        #expect(throws: TokenError.wrongIssuer) { try verifier.verify(Self.token(theirs, issuer: "us", kid: kid)) }
        #expect(throws: TokenError.wrongIssuer) { try verifier.verify(Self.token(secret, issuer: "them", kid: kid)) }
        #expect(throws: TokenError.wrongIssuer) { try verifier.verify(Self.token(secret, issuer: nil, kid: kid)) }
      }
    }
  }

  @Test func `keys without issuers go by the rules`() throws {
    var (ours, others) = (try VerificationKey(secret: secret), try VerificationKey(secret: SecureRandom.bytes(32)))
    (ours.issuers, others.issuers) = (nil, ["them"])
    var rules = TokenVerifier.Rules()
    rules.issuers = ["us"]
    let verifier = TokenVerifier(keys: [ours, others], rules: rules)
    #expect(try verifier.verify(Self.token(secret, issuer: "us")).userID == "ann")
    #expect(throws: TokenError.wrongIssuer) { try verifier.verify(Self.token(secret, issuer: "them")) }
  }

  @Test func `names are compared byte by byte`() throws {
    var key = try VerificationKey(secret: secret)
    key.issuers = ["caf\u{E9}"]
    let verifier = TokenVerifier(keys: [key])
    #expect(try verifier.verify(Self.token(secret, issuer: "caf\u{E9}")).userID == "ann")
    #expect(throws: TokenError.wrongIssuer) { try verifier.verify(Self.token(secret, issuer: "cafe\u{301}")) }
  }

  @Test func `while keys are missing nobody is called bad for their lack`() throws {
    let verifier = TokenVerifier(keys: [try VerificationKey(secret: secret, id: "a")], isMissingKeys: true)
    let key = Keys.key(.p256)
    #expect(throws: TokenError.missingKeys) { try verifier.verify(Keys.token(.es256, key, id: "new")) }
    #expect(throws: TokenError.missingKeys) { try verifier.verify(Keys.token(.es256, key)) }
    // A set never holds secrets, and a key that is known stays what it is.
    #expect(throws: TokenError.unknownKey) { try verifier.verify(Self.token(secret, issuer: nil, kid: "new")) }
    #expect(throws: TokenError.wrongAlgorithm) { try verifier.verify(Keys.token(.es256, key, id: "a")) }
    #expect(throws: TokenError.wrongAlgorithm) {
      try verifier.verify(signed(payload(""), header: #"{"alg":"none","kid":"new"}"#))
    }
    #expect(try verifier.verify(Self.token(secret, issuer: nil)).userID == "ann")
    #expect(throws: TokenError.missingKeys) {
      try TokenVerifier(keys: [], isMissingKeys: true).verify(Keys.token(.es256, key))
    }
  }
}
