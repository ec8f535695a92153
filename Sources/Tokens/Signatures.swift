import COpenSSL

/// What all signatures share, and those with a shared secret.
enum Signatures {
  /// HMAC (RFC 2104) over the bytes in `range`.
  static func hmac(
    _ algorithm: Algorithm, _ range: Range<Int>, of text: borrowing RawSpan, secret: [UInt8]
  ) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: algorithm.hashBytes) { code, count in
      var length: UInt32 = 0
      let done = unsafe text.extracting(range).withUnsafeBytes { input in
        unsafe HMAC(
          hash(of: algorithm), secret, CInt(secret.count), input.baseAddress?.assumingMemoryBound(to: UInt8.self),
          input.count, code.baseAddress, &length)
      }
      unsafe precondition(done != nil && Int(length) == algorithm.hashBytes, "an HMAC cannot fail")
      count = Int(length)
    }
  }

  /// The algorithm's hash; nil for EdDSA, which has its own inside.
  static func hash(of algorithm: Algorithm) -> OpaquePointer? {
    switch algorithm {
    case .hs256, .rs256, .ps256, .es256: unsafe EVP_sha256()
    case .hs384, .rs384, .es384: unsafe EVP_sha384()
    case .hs512, .rs512: unsafe EVP_sha512()
    case .edDSA: nil
    }
  }

  /// For PS256: PSS with a salt as long as the hash (RFC 7518 section 3.5). False when OpenSSL refuses.
  static func pad(_ context: OpaquePointer?, for algorithm: Algorithm) -> Bool {
    guard algorithm == .ps256 else { return true }
    return unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
      && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, CInt(algorithm.hashBytes)) == 1
  }

  /// Whether both are the same, in a time that does not tell where they differ.
  static func equal(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return unsafe CRYPTO_memcmp(one, other, one.count) == 0
  }
}
