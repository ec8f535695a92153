import COpenSSL

/// One reference to a key in OpenSSL's hands.
@safe
final class KeyHandle: @unchecked Sendable {
  // Sendable is sound although the compiler cannot see it. The pointer is set once, before anybody else knows of the
  // handle, and freed by its last owner. In between it is only given to calls that read it or that take a reference
  // (counted atomically) into a context of the caller's own: EVP_DigestVerifyInit, EVP_DigestSignInit, EVP_PKEY_get….
  // OpenSSL promises that an object which nobody modifies may be used by any number of threads (openssl-threads(7)),
  // and nothing here calls what modifies a key.
  let pointer: OpaquePointer

  /// Takes ownership.
  init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe EVP_PKEY_free(pointer) }
}
