import RoostTesting
import Testing

@testable import Tokens

/// Keys as PEM text.
@Suite struct KeyFileTests {
  @Test(arguments: [TestKey.Kind.rsa, .p256, .p384, .ed25519])
  func `public keys are taken and private ones refused`(kind: TestKey.Kind) throws {
    let key = Keys.key(kind)
    #expect(try VerificationKey(pem: key.publicPEM).algorithm == kind.algorithms.first)
    #expect(throws: KeyError.privateKey) { try VerificationKey(pem: key.privatePEM) }
    #expect(throws: KeyError.privateKey) { try VerificationKey(pem: key.publicPEM + key.privatePEM) }
    #expect(throws: KeyError.severalKeys) { try VerificationKey(pem: key.publicPEM + key.publicPEM) }
    #expect(throws: KeyError.wrongAlgorithm) { try VerificationKey(pem: key.publicPEM, algorithm: .hs256) }
    #expect(throws: KeyError.badKeyID) { try VerificationKey(pem: key.publicPEM, id: "a b") }
    let commented = Array("A comment, as openssl writes them\n".utf8) + key.publicPEM
    #expect(try VerificationKey(pem: commented, id: "a").id == "a")
  }

  @Test(arguments: [
    (TestKey.Kind.rsa1024, KeyError.weakRSA), (.p521, .unsupported), (.secp256k1, .unsupported),
    (.x25519, .unsupported),
  ])
  func `keys we do not use`(kind: TestKey.Kind, error: KeyError) {
    #expect(throws: error) { try VerificationKey(pem: Keys.key(kind).publicPEM) }
  }

  @Test(arguments: [
    ("", KeyError.notPEM), ("hello", .notPEM), ("-----BEGIN", .notPEM), ("-----BEGIN PUBLIC KEY-----\n", .notPEM),
    ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", .notPEM),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", .certificate),
    ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", .privateKey),
    ("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", .notPEM),
  ])
  func `texts that are no key`(text: String, error: KeyError) {
    #expect(throws: error) { try VerificationKey(pem: Array(text.utf8)) }
    #expect(throws: KeyError.self) { try SigningKey(pem: Array(text.utf8)) }
  }

  @Test func `a signing key must be private`() {
    #expect(throws: KeyError.notPEM) { try SigningKey(pem: Keys.key(.p256).publicPEM) }
    #expect(throws: KeyError.weakRSA) { try SigningKey(pem: Keys.key(.rsa1024).privatePEM) }
    #expect(throws: KeyError.wrongAlgorithm) { try SigningKey(pem: Keys.key(.p256).privatePEM, algorithm: .es384) }
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `damaged text never crashes`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var text = Keys.key([.rsa, .p256, .ed25519][Int(seed % 3)]).publicPEM
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      text[Int.random(in: 30..<text.count, using: &random)] = UInt8.random(in: 32...126, using: &random)
    }
    _ = try? VerificationKey(pem: text)
  }

  @Test func `no text of an error holds a key`() {
    for error in KeyError.allCases { #expect(!"\(error)".isEmpty && "\(error)".utf8.count < 120) }
  }
}
