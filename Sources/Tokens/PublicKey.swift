import COpenSSL

/// A public key, checked once: of a kind we use, strong enough, and on its curve.
struct PublicKey: Sendable {
  private let key: KeyHandle
  let family: Algorithm.Family
  /// Bytes of a signature as tokens hold it.
  private let signatureBytes: Int

  init(_ key: KeyHandle) throws(KeyError) {
    defer { ERR_clear_error() }
    family = try unsafe Self.family(of: key.pointer)
    guard unsafe Self.isValid(key.pointer) else { throw .invalid }
    signatureBytes =
      switch family {
      case .p256, .ed25519: 64
      case .p384: 96
      case .rsa, .secret: unsafe Int(EVP_PKEY_get_size(key.pointer))
      }
    self.key = key
  }

  /// Whether `signature` is right for the bytes of `text` in `range`. The algorithm must be of the key's family.
  func verifies(
    _ signature: [UInt8], by algorithm: Algorithm, over range: Range<Int>, of text: borrowing RawSpan
  ) -> Bool {
    guard algorithm.family == family, signature.count == signatureBytes else { return false }
    let isRaw = family == .p256 || family == .p384
    let signature = isRaw ? ECDSASignature.der(raw: signature) : signature
    guard let context = unsafe EVP_MD_CTX_new() else { preconditionFailure("no memory for a signature check") }
    defer { unsafe EVP_MD_CTX_free(context) }
    var details: OpaquePointer?
    guard
      unsafe EVP_DigestVerifyInit(context, &details, Signatures.hash(of: algorithm), nil, key.pointer) == 1,
      unsafe Signatures.pad(details, for: algorithm)
    else { preconditionFailure("a checked key cannot be used: \(algorithm)") }
    let isGood = unsafe text.extracting(range).withUnsafeBytes { input in
      unsafe EVP_DigestVerify(
        context, signature, signature.count, input.baseAddress?.assumingMemoryBound(to: UInt8.self), input.count) == 1
    }
    // Others on this thread, such as TLS, must not find our failure and take it for theirs.
    if !isGood { ERR_clear_error() }
    return isGood
  }

  // MARK: Checks

  private static func family(of key: OpaquePointer) throws(KeyError) -> Algorithm.Family {
    if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
      // Long keys, and exponents as long as the key, would make every check expensive.
      guard (2_048...8_192).contains(unsafe EVP_PKEY_get_bits(key)), unsafe hasPlainExponent(key) else {
        throw .weakRSA
      }
      return .rsa
    }
    if unsafe EVP_PKEY_is_a(key, "ED25519") == 1 { return .ed25519 }
    guard unsafe EVP_PKEY_is_a(key, "EC") == 1 else { throw .unsupported }
    var name = [CChar](repeating: 0, count: 64)
    var length = 0
    guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { throw .unsupported }
    switch String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) {
    case "prime256v1": return .p256
    case "secp384r1": return .p384
    default: throw .unsupported
    }
  }

  private static func hasPlainExponent(_ key: OpaquePointer) -> Bool {
    var exponent: OpaquePointer?
    guard unsafe EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 else { return false }
    defer { unsafe BN_free(exponent) }
    return unsafe BN_num_bits(exponent) <= 32 && BN_is_odd(exponent) == 1 && BN_is_one(exponent) == 0
  }

  /// For EC: that the point is on the curve and in the right subgroup.
  private static func isValid(_ key: OpaquePointer) -> Bool {
    guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return false }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    return unsafe EVP_PKEY_public_check(context) == 1
  }
}
