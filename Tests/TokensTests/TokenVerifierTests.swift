import RoostTesting
import Testing

@testable import Tokens

@Suite struct TokenVerifierTests {
  @Test func `the example of RFC 7515 A.1 has a good signature`() throws {
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    let token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
      + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
      + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    let bytes = try #require(unsafe Base64URL.decode(0..<key.utf8.count, of: Array(key.utf8).span.bytes))
    let verifier = TokenVerifier(keys: [try VerificationKey(secret: bytes)])
    // It has no user id, so a good signature shows in the refusal: claims are looked at last.
    #expect(throws: TokenError.badClaims) { try verifier.verify(token, now: 1_300_819_379) }
    #expect(throws: TokenError.expired) { try verifier.verify(token, now: 1_300_819_380) }
    #expect(try refusal(token, now: 1_300_819_379) == .badSignature)
  }

  @Test(arguments: [
    ("", TokenError.malformed), ("a", .malformed), ("a.b", .malformed), ("..", .malformed), ("a.b.c.d", .malformed),
    ("Bearer \(signed(payload("")))", .malformed), (signed(payload("")) + ".", .malformed),
    (signed(payload("")) + "=", .malformed), (signed(payload("")) + " ", .malformed),
    (String(signed(payload("")).drop { $0 != "." }), .malformed),
    (String(repeating: "a", count: 4097), .tooLong), (signed("[]"), .malformed), (signed("{} x"), .malformed),
    (signed(#"{"sub":"a","sub":"b"}"#), .malformed), (signed(#"{"sub":"a","\u0073ub":"b"}"#), .malformed),
    (signed(payload(""), header: "HS256"), .malformed), (signed(payload(""), header: "{}"), .malformed),
    (signed(payload(""), header: #"{"alg":["HS256"]}"#), .malformed),
    (signed(payload(""), header: #"{"alg":"none","alg":"HS256"}"#), .malformed),
    (signed(payload(""), secret: [1] + secret), .badSignature),
  ])
  func `tokens of the wrong shape`(token: String, error: TokenError) throws {
    #expect(try refusal(token) == error)
  }

  @Test(arguments: [
    (#"{"alg":"none"}"#, TokenError.wrongAlgorithm), (#"{"alg":"None"}"#, .wrongAlgorithm),
    (#"{"alg":"NONE"}"#, .wrongAlgorithm), (#"{"alg":""}"#, .wrongAlgorithm), (#"{"alg":"hs256"}"#, .wrongAlgorithm),
    (#"{"alg":"HS512"}"#, .wrongAlgorithm), (#"{"alg":"RS256"}"#, .wrongAlgorithm),
    (#"{"alg":"HS256","jku":"https://a"}"#, .forbiddenHeader), (#"{"alg":"HS256","x5u":""}"#, .forbiddenHeader),
    (#"{"alg":"HS256","jwk":{}}"#, .forbiddenHeader), (#"{"alg":"HS256","x5c":null}"#, .forbiddenHeader),
    (#"{"alg":"HS256","crit":["b64"],"b64":false}"#, .forbiddenHeader), (#"{"alg":"HS256","kid":1}"#, .forbiddenHeader),
    (#"{"alg":"HS256","kid":""}"#, .forbiddenHeader), (#"{"alg":"HS256","kid":"../a"}"#, .forbiddenHeader),
    (#"{"alg":"HS256","kid":null}"#, .forbiddenHeader),
    (#"{"alg":"HS256","kid":"\#(String(repeating: "k", count: 65))"}"#, .forbiddenHeader),
  ])
  func `headers that ask for something else`(header: String, error: TokenError) throws {
    #expect(try refusal(signed(payload(""), header: header)) == error)
  }

  @Test func `none is refused without a signature, too`() throws {
    let token = signed(payload(""), header: #"{"alg":"none"}"#)
    #expect(try refusal(String(token[...(token.lastIndex(of: ".") ?? token.startIndex)])) == .malformed)
  }

  @Test func `keys are chosen by id`() throws {
    let other = SecureRandom.bytes(32)
    let verifier = TokenVerifier(keys: [
      try VerificationKey(secret: secret, id: "a"), try VerificationKey(secret: other, id: "b"),
    ])
    let token = { (id: String, secret: [UInt8]) in
      signed(payload(""), header: #"{"kid":"\#(id)","alg":"HS256"}"#, secret: secret)
    }
    #expect(try verifier.verify(token("a", secret)).userID == "ann")
    #expect(try verifier.verify(token("b", other)).userID == "ann")
    #expect(throws: TokenError.badSignature) { try verifier.verify(token("a", other)) }
    #expect(throws: TokenError.unknownKey) { try verifier.verify(token("c", secret)) }
    #expect(try verifier.verify(signed(payload(""), secret: other)).userID == "ann", "no id: every key is tried")
  }

  @Test(arguments: [31, 0, 1])
  func `short secrets are no keys`(count: Int) {
    let short = [UInt8](repeating: 7, count: count)
    #expect(throws: KeyError.secretTooShort) { try VerificationKey(secret: short) }
    #expect(throws: KeyError.secretTooShort) { try TokenMinter(secret: short) }
  }

  @Test func `a key does not show its secret`() throws {
    let key = try VerificationKey(secret: [UInt8](repeating: 201, count: 32), id: "a")
    var dumped = ""
    dump(key, to: &dumped)
    #expect(!dumped.contains("201") && !"\(key)".contains("201"))
    #expect(throws: KeyError.badKeyID) { try VerificationKey(secret: secret, id: "a/b") }
  }

  @Test func `every changed character is noticed`() throws {
    let token = Array(signed(payload(#""name":"Ann""#)).utf8)
    let verifier = try verifier()
    #expect(try verifier.verify(token, now: now).name == "Ann")
    for index in token.indices {
      for flip in [1, 2, 4, 32, 128] as [UInt8] {
        var changed = token
        changed[index] ^= flip
        #expect(throws: TokenError.self) { try verifier.verify(changed, now: now) }
      }
      #expect(throws: TokenError.self) { try verifier.verify(Array(token[..<index]), now: now) }
    }
  }

  /// No damage makes a good token, and none crashes.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func `damaged tokens are refused`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let token = Array(signed(payload(#""rooms":{"join":["a*"]}"#)).utf8)
    var damaged = token
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let place = Int.random(in: 0..<damaged.count, using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: damaged[place] = UInt8.random(in: 0...255, using: &generator)
      case 1: damaged.insert(token[Int.random(in: 0..<token.count, using: &generator)], at: place)
      case 2: damaged.remove(at: place)
      default: damaged.swapAt(place, Int.random(in: 0..<damaged.count, using: &generator))
      }
    }
    guard damaged != token else { return }
    let verifier = try verifier()
    #expect(throws: TokenError.self) { try verifier.verify(damaged, now: now) }
  }

  /// Random payloads under a good signature reach the claims reader.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func `damaged claims never crash`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var text = Array(
      payload(#""rooms":{"join":["a*"]},"name":"\u00e4\ud83d\ude00","nbf":1.5e3,"x":[[true,null]]"#).utf8)
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let place = Int.random(in: 0..<text.count, using: &generator)
      text[place] = Array(#"{}[]",:\u0e-. "#.utf8).randomElement(using: &generator) ?? 0
    }
    _ = try refusal(signed(String(decoding: text, as: UTF8.self)))
  }
}
