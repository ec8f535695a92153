import COpenSSL

/// What tokens are signed with: a shared secret, or a private key. For `roost token` and tests; a node has none.
public struct SigningKey: Sendable {
  public let algorithm: Algorithm
  private let material: Material

  private enum Material: Sendable {
    case secret([UInt8])
    case privateKey(KeyHandle, PublicKey)
  }

  /// A shared secret, of the length a node asks for.
  public init(secret: [UInt8], algorithm: Algorithm = .hs256) throws(KeyError) {
    // A secret no verifier would take makes tokens of no use.
    _ = try VerificationKey(secret: secret, algorithm: algorithm)
    (self.algorithm, material) = (algorithm, .secret(secret))
  }

  /// A private key in PEM, without a passphrase. The key decides the algorithm, RS256 for RSA unless `algorithm` says
  /// another of its kind.
  public init(pem: [UInt8], algorithm: Algorithm? = nil) throws(KeyError) {
    guard PEM.labels(in: pem).count == 1, let key = PEM.decode(pem, isPrivate: true) else { throw .notPEM }
    // Held to what a node holds its public half to.
    let half = try PublicKey(key)
    self.algorithm = algorithm ?? half.family.algorithm
    guard self.algorithm.family == half.family else { throw .wrongAlgorithm }
    material = .privateKey(key, half)
  }

  /// What verifies its signatures.
  public func verificationKey(id: String? = nil) throws(KeyError) -> VerificationKey {
    switch material {
    case .secret(let secret): try VerificationKey(secret: secret, algorithm: algorithm, id: id)
    case .privateKey(_, let half): try VerificationKey(half, algorithm, id)
    }
  }

  /// The signature of `text`, as a token holds it.
  func sign(_ text: [UInt8]) -> [UInt8] {
    switch material {
    case .secret(let secret):
      return unsafe Signatures.hmac(algorithm, 0..<text.count, of: text.span.bytes, secret: secret)
    case .privateKey(let key, _):
      let signature = sign(text, key)
      switch algorithm.family {
      case .p256: return ECDSASignature.raw(der: signature, length: 32)
      case .p384: return ECDSASignature.raw(der: signature, length: 48)
      default: return signature
      }
    }
  }

  private func sign(_ text: [UInt8], _ key: KeyHandle) -> [UInt8] {
    let context = unsafe EVP_MD_CTX_new()
    defer { unsafe EVP_MD_CTX_free(context) }
    var details: OpaquePointer?
    var length = 0
    guard
      unsafe EVP_DigestSignInit(context, &details, Signatures.hash(of: algorithm), nil, key.pointer) == 1,
      unsafe Signatures.pad(details, for: algorithm),
      unsafe EVP_DigestSign(context, nil, &length, text, text.count) == 1
    else { preconditionFailure("a checked key cannot sign: \(algorithm)") }
    var signature = [UInt8](repeating: 0, count: length)
    let isDone = unsafe EVP_DigestSign(context, &signature, &length, text, text.count) == 1
    precondition(isDone, "a checked key cannot sign: \(algorithm)")
    return Array(signature.prefix(length))
  }
}
