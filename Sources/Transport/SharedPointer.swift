/// A pointer to what OpenSSL itself makes safe for many threads at once: `SSL_CTX` after it was set up, and
/// `BIO_METHOD` (openssl-threads(7)). Kept as a number, because pointers as such may not change threads.
struct SharedPointer: Sendable {
  private let address: UInt

  init(_ pointer: OpaquePointer) { address = UInt(bitPattern: pointer) }

  var pointer: OpaquePointer {
    guard let pointer = unsafe OpaquePointer(bitPattern: address) else { preconditionFailure("made from a pointer") }
    return unsafe pointer
  }
}
