import COpenSSL
import RoostTesting
import Testing

@testable import Tokens

/// The key decides the algorithm, and nothing in a token can make it another.
@Suite struct AlgorithmTests {
  @Test(arguments: Keys.pairs.map(\.0))
  func `only the key's own algorithm is taken`(algorithm: Algorithm) throws {
    let key = try #require(Keys.pairs.first { $0.0 == algorithm }?.1)
    let verifier = TokenVerifier(keys: [try VerificationKey(pem: key.publicPEM, algorithm: algorithm)])
    for (other, pair) in Keys.pairs {
      let token = try Keys.token(other, pair)
      if other == algorithm {
        #expect(try verifier.verify(token).userID == "ann")
      } else {
        #expect(throws: TokenError.wrongAlgorithm) { try verifier.verify(token) }
        // The same signature under the header that the key asks for.
        let lie = Base64URL.encode(Array(#"{"alg":"\#(algorithm.rawValue)","typ":"JWT"}"#.utf8))
        let forged = lie + token[(token.firstIndex(of: ".") ?? token.startIndex)...]
        #expect(throws: TokenError.badSignature) { try verifier.verify(forged) }
      }
    }
  }

  @Test(arguments: [Algorithm.hs256, .hs384, .hs512])
  func `a public key is no secret`(algorithm: Algorithm) throws {
    let key = Keys.key(.rsa)
    let verifier = TokenVerifier(
      keys: try TestKey.Kind.rsa.algorithms.map {
        try VerificationKey(pem: key.publicPEM, algorithm: $0)
      })
    for secret in [key.publicPEM, Array(key.publicPEM.dropLast()), Array(key.members.utf8)] {
      let forged = try TokenMinter(key: SigningKey(secret: secret, algorithm: algorithm)).mint(
        Claims(userID: "ann", expiresAt: now + 60))
      #expect(throws: TokenError.wrongAlgorithm) { try verifier.verify(forged) }
    }
  }

  @Test(arguments: [
    "none", "None", "NONE", "nOnE", "", "RS1", "HS256 ", "rs256", "ES256K", "ES512", "PS384", "EdDSA\u{0}",
  ])
  func `names of no algorithm`(name: String) throws {
    let verifier = TokenVerifier(keys: try Keys.pairs.map { try VerificationKey(pem: $0.1.publicPEM, algorithm: $0.0) })
    let header = #"{"alg":"\#(name.replacing("\0", with: "\\u0000"))"}"#
    #expect(throws: TokenError.wrongAlgorithm) { try verifier.verify(signed(payload(""), header: header)) }
    let bare = signed(payload(""), header: header)
    let empty = String(bare[...(bare.lastIndex(of: ".") ?? bare.startIndex)])
    #expect(throws: TokenError.malformed) { try verifier.verify(empty) }
  }

  @Test(arguments: [(TestKey.Kind.p256, 32), (.p384, 48)])
  func `signatures on curves have one form`(kind: TestKey.Kind, half: Int) throws {
    let key = Keys.key(kind)
    let algorithm = try #require(kind.algorithms.first)
    let verifier = TokenVerifier(keys: [try VerificationKey(pem: key.publicPEM)])
    let token = try Keys.token(algorithm, key)
    let end = try #require(token.lastIndex(of: "."))
    let good = Array(token[token.index(after: end)...].utf8)
    let raw = try #require(unsafe Base64URL.decode(0..<good.count, of: good.span.bytes))
    let zero = [UInt8](repeating: 0, count: half)
    let ones = [UInt8](repeating: 0xFF, count: half)
    let forged: [[UInt8]] = [
      zero + zero, Array(raw[..<half]) + zero, zero + raw[half...], ones + ones, Array(raw[half...]) + raw[..<half],
      raw + [0],
      raw.dropLast(), [0] + raw, ECDSASignature.der(raw: raw), [1],
    ]
    #expect(try verifier.verify(token).userID == "ann")
    for signature in forged {
      let token = token[...end] + Base64URL.encode(signature)
      #expect(throws: TokenError.badSignature) { try verifier.verify(String(token)) }
    }
  }

  /// r and s with leading zeros, high bits and everything between survive the way to DER and back.
  @Test(arguments: 0..<64)
  func `DER and back`(number: Int) {
    var random = SeededGenerator(seed: UInt64(number))
    var raw = (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }
    for index in 0..<(number % 20) { raw[index] = 0 }
    if number % 3 == 0 { raw[32] = 0x80 }
    #expect(ECDSASignature.raw(der: ECDSASignature.der(raw: raw), length: 32) == raw)
  }

  /// Failures of ours must not be taken for somebody else's, such as a TLS connection's on the same thread.
  @Test func `a bad signature leaves no error behind`() throws {
    for (algorithm, key) in Keys.pairs {
      let verifier = TokenVerifier(keys: [try VerificationKey(pem: key.publicPEM, algorithm: algorithm)])
      let token = try Keys.token(algorithm, key)
      _ = try? verifier.verify(String(token.dropLast(4)) + "AAAA")
      #expect(ERR_peek_error() == 0)
    }
  }

  @Test func `a token buys few checks`() throws {
    let keys = try (0..<5).map { _ in try VerificationKey(secret: SecureRandom.bytes(32)) }
    let token = try TokenMinter(secret: secret).mint(Claims(userID: "ann", expiresAt: now + 60))
    let own = try VerificationKey(secret: secret)
    #expect(try TokenVerifier(keys: keys[..<3] + [own]).verify(token).userID == "ann")
    #expect(throws: TokenError.badSignature) { try TokenVerifier(keys: keys[..<4] + [own]).verify(token) }
    let named = try TokenMinter(secret: secret, keyID: "k").mint(Claims(userID: "ann", expiresAt: now + 60))
    let strangers = try (0..<20).map { try VerificationKey(secret: SecureRandom.bytes(32), id: "x\($0)") }
    let verifier = TokenVerifier(keys: strangers + [try VerificationKey(secret: secret, id: "k")])
    #expect(try verifier.verify(named).userID == "ann")
  }

  @Test(arguments: [(Algorithm.hs256, 32), (.hs384, 48), (.hs512, 64)])
  func `secrets are as long as the hash`(algorithm: Algorithm, length: Int) throws {
    #expect(throws: KeyError.secretTooShort) {
      try VerificationKey(secret: SecureRandom.bytes(length - 1), algorithm: algorithm)
    }
    let key = try SigningKey(secret: SecureRandom.bytes(length), algorithm: algorithm)
    let token = try TokenMinter(key: key).mint(Claims(userID: "ann", expiresAt: now + 60))
    #expect(try TokenVerifier(keys: [key.verificationKey()]).verify(token).userID == "ann")
    #expect(throws: KeyError.wrongAlgorithm) { try VerificationKey(secret: secret, algorithm: .es256) }
  }
}
