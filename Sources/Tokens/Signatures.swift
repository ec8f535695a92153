import COpenSSL

/// The door to OpenSSL's signatures.
enum Signatures {
  static let hmacSHA256Bytes = 32

  /// HMAC with SHA-256 (RFC 2104) over the bytes in `range`.
  static func hmacSHA256(_ range: Range<Int>, of text: borrowing RawSpan, secret: [UInt8]) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: hmacSHA256Bytes) { code, count in
      var length: UInt32 = 0
      let done = unsafe text.extracting(range).withUnsafeBytes { input in
        unsafe HMAC(
          EVP_sha256(), secret, CInt(secret.count), input.baseAddress?.assumingMemoryBound(to: UInt8.self),
          input.count, code.baseAddress, &length)
      }
      unsafe precondition(done != nil && Int(length) == hmacSHA256Bytes, "HMAC-SHA256 cannot fail")
      count = Int(length)
    }
  }

  /// Whether both are the same, in a time that does not tell where they differ.
  static func equal(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return unsafe CRYPTO_memcmp(one, other, one.count) == 0
  }
}
