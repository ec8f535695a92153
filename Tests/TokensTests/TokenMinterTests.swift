import RoostTesting
import Testing
import Tokens

@Suite struct TokenMinterTests {
  @Test(arguments: [
    Claims(userID: "ann", expiresAt: now + 60),
    Claims(
      userID: "a\"\\/ü😀", name: "Ann \u{2028}", role: "admin", rooms: RoomGrants(join: ["*"], send: ["a", "b-*"]),
      expiresAt: now + 60, issuedAt: now, tokenID: "t-1"),
    Claims(userID: "u", rooms: RoomGrants(join: [], send: nil), expiresAt: now + 60),
    Claims(userID: "u", rooms: RoomGrants(join: nil, send: []), expiresAt: now + 60),
  ])
  func `what is minted is verified`(claims: Claims) throws {
    #expect(try verifier().verify(TokenMinter(secret: secret).mint(claims)) == claims)
  }

  @Test func `issuer, audience and key id are written`() throws {
    var rules = TokenVerifier.Rules()
    (rules.issuers, rules.audiences) = (["me"], ["roost"])
    let token = try TokenMinter(secret: secret, keyID: "k", rules: rules).mint(Claims(userID: "u", expiresAt: now + 1))
    let verifier = TokenVerifier(keys: [try VerificationKey(secret: secret, id: "k")], rules: rules)
    #expect(try verifier.verify(token).userID == "u")
    let other = TokenVerifier(keys: [try VerificationKey(secret: secret, id: "l")], rules: rules)
    #expect(throws: TokenError.unknownKey) { try other.verify(token) }
  }

  @Test func `control characters are escaped, and then refused`() throws {
    let token = try TokenMinter(secret: secret).mint(Claims(userID: "a\u{1}b\n", expiresAt: now + 60))
    #expect(try refusal(token) == .badClaims)
  }
}

@Suite struct SecureRandomTests {
  @Test func `has the length and the alphabet asked for`() {
    #expect(SecureRandom.bytes(0).isEmpty && SecureRandom.bytes(33).count == 33)
    #expect(SecureRandom.hex(byteCount: 16).wholeMatch(of: /[0-9a-f]{32}/) != nil)
    #expect(SecureRandom.base64URL(byteCount: 32).wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil)
    #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
  }
}
