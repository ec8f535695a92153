import COpenSSL

/// Keys as text between `-----BEGIN` and `-----END` (RFC 7468).
enum PEM {
  private static let begin = Array("-----BEGIN ".utf8)
  private static let end = Array("-----".utf8)

  /// What stands behind each `-----BEGIN `, such as `PUBLIC KEY`.
  static func labels(in text: [UInt8]) -> [String] {
    var labels: [String] = []
    var rest = text[...]
    while let start = rest.firstRange(of: begin) {
      rest = rest[start.upperBound...]
      guard let stop = rest.firstRange(of: end) else { break }
      labels.append(String(decoding: rest[..<stop.lowerBound], as: UTF8.self))
      rest = rest[stop.upperBound...]
    }
    return labels
  }

  /// The key in `text`, or nil. A key behind a passphrase is none.
  static func decode(_ text: [UInt8], isPrivate: Bool) -> KeyHandle? {
    let selection = isPrivate ? KeySelection.keyPair : KeySelection.publicKey
    var key: OpaquePointer?
    // The context keeps the address of `key` until it is freed.
    let isDone = unsafe withUnsafeMutablePointer(to: &key) { key in
      // No word says that this is PEM, because the context would keep its address, too; the label does.
      let context = unsafe OSSL_DECODER_CTX_new_for_pkey(key, nil, nil, nil, selection, nil, nil)
      defer {
        unsafe OSSL_DECODER_CTX_free(context)
        ERR_clear_error()
      }
      // Never ask on a terminal.
      unsafe OSSL_DECODER_CTX_set_passphrase(context, [0], 0)
      return unsafe text.withUnsafeBufferPointer { text in
        var (start, length) = (text.baseAddress, text.count)
        return unsafe OSSL_DECODER_from_data(context, &start, &length) == 1
      }
    }
    let handle = unsafe key.map { unsafe KeyHandle(owning: $0) }
    return isDone ? handle : nil
  }
}

/// What of a key OpenSSL is to make or read: macros that Swift does not import.
enum KeySelection {
  /// `EVP_PKEY_PUBLIC_KEY`: parameters and public part.
  static let publicKey = OSSL_KEYMGMT_SELECT_ALL_PARAMETERS | OSSL_KEYMGMT_SELECT_PUBLIC_KEY
  /// `EVP_PKEY_KEYPAIR`
  static let keyPair = publicKey | OSSL_KEYMGMT_SELECT_PRIVATE_KEY
}
