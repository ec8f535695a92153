import Testing

@testable import Tokens

@Suite struct ClaimsTests {
  static func claims(_ payload: String) throws -> Claims { try verifier().verify(signed(payload)) }

  @Test func `everything a token may say`() throws {
    let claims = try Self.claims(
      payload(
        #""user_id":7,"name":"Ann Ä","role":"admin","jti":"t1","iat":1800000000.2,"nbf":1799999999,"#
          + #""rooms":{"join":["team-*","a:b"],"send":[]},"other":{"deep":[1,{}]}"#))
    #expect(
      claims
        == Claims(
          userID: "ann", name: "Ann Ä", role: "admin", rooms: RoomGrants(join: ["team-*", "a:b"], send: []),
          expiresAt: 1_800_000_060, issuedAt: 1_800_000_000, tokenID: "t1"))
  }

  @Test(arguments: [
    (#""sub":"u""#, "u"), (#""sub":12345678901234567890"#, "12345678901234567890"), (#""user_id":42"#, "42"),
    (#""user_id":"x y""#, "x y"), (#""sub":-3"#, "-3"), (#""sub":null,"user_id":1"#, "1"), (#""sub":"\u00fc""#, "ü"),
    (#""sub":"\u00a0Â~""#, "\u{A0}Â~"),
    (#""sub":"\#(String(repeating: "s", count: 128))""#, String(repeating: "s", count: 128)),
  ])
  func `user ids`(member: String, id: String) throws {
    let claims = try Self.claims(payload(member, sub: nil))
    #expect(claims.userID == id && claims.name == id)
  }

  @Test(arguments: [
    "", #""sub":"""#, #""sub":1.0"#, #""sub":1e3"#, #""sub":-0"#, #""sub":true"#, #""sub":["a"]"#, #""sub":{}"#,
    #""sub":"a\u0000""#, #""sub":"a\nb""#, #""sub":"a\u007f""#, #""sub":"a\u0085""#,
    #""sub":123456789012345678901"#, #""sub":"\#(String(repeating: "s", count: 129))""#, #""sub":"","user_id":1"#,
    #""sub":"a","name":1"#, #""sub":"a","name":"b\u001b""#, #""sub":"a","role":[]"#, #""sub":"a","jti":"""#,
    #""sub":"a","name":"\#(String(repeating: "n", count: 257))""#, #""sub":"a","rooms":null"#,
    #""sub":"a","rooms":["a"]"#, #""sub":"a","rooms":{"join":"a"}"#, #""sub":"a","rooms":{"join":null}"#,
    #""sub":"a","rooms":{"send":[1]}"#, #""sub":"a","rooms":{"send":[""]}"#, #""sub":"a","rooms":{"send":["a b"]}"#,
    #""sub":"a","nbf":"1""#, #""sub":"a","iat":null"#, #""sub":"a","iat":1e300"#,
  ])
  func `claims of the wrong shape`(members: String) throws {
    #expect(try refusal(signed(payload(members, sub: nil))) == .badClaims)
  }

  @Test(arguments: [(100, nil), (101, .badClaims)] as [(Int, TokenError?)])
  func `patterns have a number`(count: Int, error: TokenError?) throws {
    let patterns = Array(repeating: #""a""#, count: count).joined(separator: ",")
    for list in ["join", "send"] {
      #expect(try refusal(signed(payload(#""rooms":{"\#(list)":[\#(patterns)]}"#))) == error)
    }
  }

  @Test func `an empty name is no name`() throws {
    #expect(try Self.claims(payload(#""name":"""#)).name == "ann")
    #expect(try Self.claims(payload(#""name":null,"role":null"#)).name == "ann")
  }

  @Test(
    arguments: [
      ("1800000001", nil), ("1800000000", .expired), ("1799999999", .expired), ("1800000000.9", .expired),
      ("1800000001.5", nil), ("1.8000001e9", nil), ("0", .expired), ("-5", .expired), ("\"1800000060\"", .badClaims),
      ("null", .badClaims), ("1e400", .badClaims), ("9007199254740993", .badClaims), ("01800000060", .malformed),
      (nil, .missingExpiry),
    ] as [(String?, TokenError?)])
  func `expiry`(exp: String?, error: TokenError?) throws {
    #expect(try refusal(signed(payload("", exp: exp))) == error)
  }

  @Test(arguments: ["nbf", "iat"])
  func `tokens from the future`(claim: String) throws {
    #expect(try refusal(signed(payload("\"\(claim)\":1800000030"))) == nil)
    #expect(try refusal(signed(payload("\"\(claim)\":1800000030.1"))) == .notYetValid)
    #expect(try refusal(signed(payload("\"\(claim)\":1800000031"))) == .notYetValid)
  }

  @Test func `expiry can be optional`() throws {
    var rules = TokenVerifier.Rules()
    rules.requiresExpiry = false
    #expect(try refusal(signed(payload("", exp: nil)), rules) == nil)
    #expect(try refusal(signed(payload("", exp: "1")), rules) == .expired)
  }

  @Test(
    arguments: [
      (#""iss":"me","aud":"roost""#, nil), (#""iss":"me","aud":["x","roost"]"#, nil), (#""aud":"roost""#, .wrongIssuer),
      (#""iss":"you","aud":"roost""#, .wrongIssuer), (#""iss":["me"],"aud":"roost""#, .wrongIssuer),
      (#""iss":"me""#, .wrongAudience), (#""iss":"me","aud":"roos""#, .wrongAudience),
      (#""iss":"me","aud":[]"#, .wrongAudience), (#""iss":"me","aud":{"roost":1}"#, .wrongAudience),
    ] as [(String, TokenError?)])
  func `issuer and audience`(members: String, error: TokenError?) throws {
    var rules = TokenVerifier.Rules()
    (rules.issuers, rules.audiences) = (["us", "me"], ["other", "roost"])
    #expect(try refusal(signed(payload(members)), rules) == error)
  }
}
