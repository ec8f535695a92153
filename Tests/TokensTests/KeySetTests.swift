import RoostTesting
import Testing

@testable import Tokens

@Suite struct KeySetTests {
  static func set(_ keys: [String], _ origin: KeySet.Origin = .address) throws -> KeySet {
    try KeySet(Array(TestKey.set(keys).utf8), from: origin)
  }

  static let good = Keys.key(.ed25519).jwk(id: "good")
  static let p256 = Keys.key(.p256)
  static let secretJWK = #"{"kty":"oct","kid":"s","k":"\#(Base64URL.encode([UInt8](repeating: 7, count: 32)))"}"#

  @Test(arguments: Keys.pairs.map(\.0))
  func `a key of each kind`(algorithm: Algorithm) throws {
    let key = try #require(Keys.pairs.first { $0.0 == algorithm }?.1)
    let set = try Self.set([key.jwk(id: "k", #""alg":"\#(algorithm.rawValue)","use":"sig","x5t":"a","ext":true"#)])
    #expect(set.keys.map(\.algorithm) == [algorithm] && set.keys[0].id == "k" && set.refusals.isEmpty)
    #expect(try TokenVerifier(keys: set.keys).verify(Keys.token(algorithm, key, id: "k")).userID == "ann")
  }

  @Test func `an RSA key without alg is for RS256 alone`() throws {
    let verifier = TokenVerifier(keys: try Self.set([Keys.key(.rsa).jwk()]).keys)
    for algorithm in [Algorithm.rs384, .rs512, .ps256] {
      #expect(throws: TokenError.wrongAlgorithm) { try verifier.verify(Keys.token(algorithm, Keys.key(.rsa))) }
    }
    #expect(try verifier.verify(Keys.token(.rs256, Keys.key(.rsa))).userID == "ann")
  }

  /// What is not for us is passed over in silence.
  @Test(arguments: [
    p256.jwk(#""use":"enc""#), p256.jwk(id: "x", #""use":"enc""#), p256.jwk(id: "x", #""use":1"#),
    p256.jwk(id: "x", #""key_ops":["sign"]"#), p256.jwk(id: "x", #""key_ops":[]"#),
    p256.jwk(id: "x", #""key_ops":"verify""#), Keys.key(.rsa).jwk(id: "x", #""alg":"RSA-OAEP""#),
    Keys.key(.rsa).jwk(id: "x", #""alg":"PS512""#), Keys.key(.p521).jwk(), Keys.key(.secp256k1).jwk(),
    Keys.key(.x25519).jwk(), #"{"kty":"XYZ"}"#, #"{"kty":1}"#, "{}", #"{"kty":"ec","crv":"P-256"}"#,
    #"{"kty":"EC","crv":"p-256","x":"AA","y":"AA"}"#,
  ])
  func `foreign keys`(jwk: String) throws {
    let set = try Self.set([jwk, Self.good])
    #expect(set.keys.map(\.id) == ["good"] && set.refusals.isEmpty)
    #expect(throws: KeyError.nothingUsable) { try Self.set([jwk]) }
  }

  static let short = Base64URL.encode([UInt8](repeating: 7, count: 31))
  static let zero = Base64URL.encode([UInt8](repeating: 0, count: 32))
  static let huge = Base64URL.encode([UInt8](repeating: 0xFF, count: 2_000))
  static let n = Keys.key(.rsa).members

  /// What must not be used is refused by place and reason; the others stay.
  @Test(
    arguments: [
      (p256.jwk(id: "x", #""d":"AAAA""#), .privateKey), (p256.jwk(id: "x", #""d":null"#), .privateKey),
      (Keys.key(.rsa).jwk(#""p":"AAAA""#), .privateKey), (Keys.key(.rsa).jwk(#""oth":[]"#), .privateKey),
      (Keys.key(.ed25519).jwk(#""d":"AAAA""#), .privateKey), (secretJWK, .publicSecret),
      (Keys.key(.rsa1024).jwk(), .weakRSA), (n.replacing("AQAB", with: "AQAA"), .weakRSA),
      (n.replacing("AQAB", with: "AQ"), .weakRSA), (n.replacing("AQAB", with: ""), .weakRSA),
      (n.replacing("AQAB", with: "AQAAAAAB"), .weakRSA), (n.replacing("AQAB", with: "AQAAAAAAAAAAAAAB"), .weakRSA),
      (#""kty":"RSA","n":"\#(huge)","e":"AQAB""#, .weakRSA), (#""kty":"RSA","n":"","e":"AQAB""#, .weakRSA),
      (#""kty":"RSA","e":"AQAB""#, .invalid), (#""kty":"RSA","n":1,"e":"AQAB""#, .invalid),
      (n.replacing("AQAB", with: "AQAB="), .invalid), (n.replacing("AQAB", with: "AQ+B"), .invalid),
      (#""kty":"EC","crv":"P-256","x":"\#(zero)","y":"\#(zero)""#, .invalid),
      (#""kty":"EC","crv":"P-256","x":"\#(short)","y":"\#(zero)""#, .invalid),
      (#""kty":"EC","crv":"P-256","x":"\#(zero)""#, .invalid),
      (p256.members.replacing("P-256", with: "P-384"), .invalid),
      (Keys.key(.p384).members.replacing("P-384", with: "P-256"), .invalid),
      (swapped(p256.members), .invalid), (#""kty":"OKP","crv":"Ed25519","x":"\#(short)""#, .invalid),
      (#""kty":"OKP","crv":"Ed25519""#, .invalid), (p256.members + #","alg":"ES384""#, .wrongAlgorithm),
      (p256.members + #","alg":"RS256""#, .wrongAlgorithm), (n + #","alg":"HS256""#, .wrongAlgorithm),
      (n + #","alg":1"#, .wrongAlgorithm), (p256.members + #","kid":"../../etc/passwd""#, .badKeyID),
      (p256.members + #","kid":1"#, .badKeyID), (p256.members + #","kid":"""#, .badKeyID),
      (p256.members + #","kid":null"#, .badKeyID), (Keys.key(.ed25519).jwk(id: "good"), .repeated),
    ] as [(String, KeyError)])
  func `refused keys`(members: String, error: KeyError) throws {
    let jwk = members.hasPrefix("{") ? members : "{\(members)}"
    let set = try Self.set([Self.good, jwk])
    #expect(set.keys.map(\.id) == ["good"])
    #expect(set.refusals.map(\.error) == [error] && set.refusals.map(\.index) == [1])
  }

  /// A point that is no point: x and y changed places.
  static func swapped(_ members: String) -> String {
    members.replacing(#""x":"#, with: #""t":"#).replacing(#""y":"#, with: #""x":"#).replacing(#""t":"#, with: #""y":"#)
  }

  @Test func `secrets may come from a file`() throws {
    let set = try Self.set([Self.secretJWK, #"{"kty":"oct","k":"\#(Self.short)"}"#], .file)
    #expect(set.keys.map(\.algorithm) == [.hs256] && set.refusals.map(\.error) == [.secretTooShort])
    #expect(throws: KeyError.nothingUsable) { try Self.set([Self.secretJWK]) }
    let hs512 = Self.secretJWK.replacing(#""kid""#, with: #""alg":"HS512","kid""#)
    #expect(try Self.set([hs512], .file).refusals.map(\.error) == [.secretTooShort])
    #expect(!"\(set)".contains("7, 7"))
  }

  @Test(arguments: [
    "", "{}", "[]", "null", #"{"keys":null}"#, #"{"keys":{}}"#, #"{"keys":"a"}"#, #"{"keys":[1]}"#, #"{"keys":[[]]}"#,
    #"{"keys":[{"kty":"EC","kty":"RSA"}]}"#, #"{"keys":[]} x"#, #"{"keys":[],"keys":[]}"#, #"{"keys":[{"a":[[[1]]]}]}"#,
    "{\"keys\":[" + String(repeating: "[", count: 200_000), "\u{FEFF}{\"keys\":[]}", "<html>",
  ])
  func `texts that are no set`(text: String) {
    #expect(throws: KeyError.notASet) { try KeySet(Array(text.utf8), from: .file) }
  }

  @Test func `sets are bounded`() throws {
    let filler = (0..<63).map { _ in #"{"kty":"XYZ"}"# }
    #expect(try Self.set(filler + [Self.good]).keys.count == 1)
    #expect(throws: KeyError.setTooLarge) { try Self.set(filler + ["{}", Self.good]) }
    let text = Array(TestKey.set([Self.good]).utf8)
    let blanks = { (count: Int) in [UInt8](repeating: 0x20, count: count - text.count) + text }
    #expect(try KeySet(blanks(KeySet.longest), from: .file).keys.count == 1)
    #expect(throws: KeyError.setTooLarge) { try KeySet(blanks(KeySet.longest + 1), from: .file) }
    let long = String(repeating: "0,", count: 2_000)
    #expect(throws: KeyError.notASet) { try Self.set([#"{"x5c":[\#(long)0]}"#]) }
    #expect(throws: KeyError.nothingUsable) { try Self.set([]) }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `damaged sets never crash`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var text = Array(TestKey.set([Keys.key(.rsa).jwk(id: "r"), Keys.key(.p256).jwk(), Self.good]).utf8)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      text[Int.random(in: 0..<text.count, using: &random)] =
        Array(#"{}[]",:\Ad0"#.utf8).randomElement(using: &random) ?? 0
    }
    _ = try? KeySet(text, from: .file)
  }
}
