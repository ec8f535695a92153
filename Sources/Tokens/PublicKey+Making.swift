import COpenSSL

extension PublicKey {
  /// A key from its PEM text (RFC 7468): one `PUBLIC KEY` or `RSA PUBLIC KEY`, and nothing else that is labelled.
  init(pem: [UInt8]) throws(KeyError) {
    let labels = PEM.labels(in: pem)
    guard let label = labels.first else { throw .notPEM }
    if labels.contains(where: { $0.hasSuffix("PRIVATE KEY") }) { throw .privateKey }
    if label == "CERTIFICATE" { throw .certificate }
    guard label == "PUBLIC KEY" || label == "RSA PUBLIC KEY" else { throw .notPEM }
    guard labels.count == 1 else { throw .severalKeys }
    guard let key = PEM.decode(pem, isPrivate: false) else { throw .notPEM }
    try self.init(key)
  }

  /// An RSA key from its numbers, big-endian.
  init(modulus: [UInt8], exponent: [UInt8]) throws(KeyError) {
    // Before OpenSSL has to look at a number of any length.
    guard modulus.count <= 1_025, exponent.count <= 8 else { throw .weakRSA }
    // OpenSSL takes numbers in the machine's order, and every machine we build for is little-endian.
    var (modulus, exponent) = ([UInt8](modulus.reversed()), [UInt8](exponent.reversed()))
    let key = unsafe modulus.withUnsafeMutableBufferPointer { modulus in
      unsafe exponent.withUnsafeMutableBufferPointer { exponent in
        unsafe Self.make(
          "RSA",
          [
            OSSL_PARAM_construct_BN(Self.name("n"), modulus.baseAddress, modulus.count),
            OSSL_PARAM_construct_BN(Self.name("e"), exponent.baseAddress, exponent.count),
          ])
      }
    }
    guard let key else { throw .invalid }
    try self.init(key)
  }

  /// A point on a curve from its coordinates, each as long as the curve's field (RFC 7518 section 6.2.1.2).
  init(curve: Algorithm.Family, x: [UInt8], y: [UInt8]) throws(KeyError) {
    let (name, length) = curve == .p256 ? ("P-256", 32) : ("P-384", 48)
    guard x.count == length, y.count == length else { throw .invalid }
    var (group, point) = (Array(name.utf8CString), [4] + x + y)
    let key = unsafe group.withUnsafeMutableBufferPointer { group in
      unsafe point.withUnsafeMutableBufferPointer { point in
        unsafe Self.make(
          "EC",
          [
            OSSL_PARAM_construct_utf8_string(Self.name("group"), group.baseAddress, 0),
            OSSL_PARAM_construct_octet_string(Self.name("pub"), point.baseAddress, point.count),
          ])
      }
    }
    guard let key else { throw .invalid }
    try self.init(key)
  }

  /// An Ed25519 key from its 32 bytes (RFC 8032 section 5.1.5).
  init(ed25519 bytes: [UInt8]) throws(KeyError) {
    guard bytes.count == 32,
      let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
    else { throw .invalid }
    try unsafe self.init(KeyHandle(owning: key))
  }

  /// Parameters keep the address of their name, so it must never move.
  private static func name(_ name: StaticString) -> UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  private static func make(_ type: String, _ parts: [OSSL_PARAM]) -> KeyHandle? {
    var parameters = unsafe parts + [OSSL_PARAM_construct_end()]
    let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil)
    defer {
      unsafe EVP_PKEY_CTX_free(context)
      ERR_clear_error()
    }
    var key: OpaquePointer?
    let isMade =
      unsafe EVP_PKEY_fromdata_init(context) == 1
      && EVP_PKEY_fromdata(context, &key, KeySelection.publicKey, &parameters) == 1
    let handle = unsafe key.map { unsafe KeyHandle(owning: $0) }
    return isMade ? handle : nil
  }
}
