import COpenSSL
import Glibc

/// What all sessions of one kind have in common: OpenSSL's `SSL_CTX`. Not changed once it is made.
final class TLSContext: Sendable {
  private let context: SharedPointer

  /// TLS 1.2 and 1.3, no renegotiation, no compression; what is not said stays as OpenSSL has it.
  private init(_ method: OpaquePointer?, _ setUp: (OpaquePointer) throws(TLSFailure) -> Void) throws(TLSFailure) {
    ErrorQueue.clear()
    guard let pointer = unsafe SSL_CTX_new(method) else { throw TLSFailure("OpenSSL has no memory") }
    unsafe context = SharedPointer(pointer)
    unsafe SSL_CTX_set_options(pointer, tls_options())
    unsafe SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
    // Idle sessions give their buffers back; a record may be taken when the next is not; the owner's bytes may move.
    let mode = SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    unsafe SSL_CTX_ctrl(pointer, SSL_CTRL_MODE, Int(mode), nil)
    // One call to the kernel for a record instead of two.
    unsafe SSL_CTX_ctrl(pointer, SSL_CTRL_SET_READ_AHEAD, 1, nil)
    // Tickets keep sessions at the client; none is kept here.
    unsafe SSL_CTX_ctrl(pointer, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
    // Nobody is at a terminal to be asked for the password of a key.
    unsafe SSL_CTX_set_default_passwd_cb(pointer) { _, _, _, _ in 0 }
    try unsafe setUp(pointer)
    ErrorQueue.clear()
  }

  deinit { unsafe SSL_CTX_free(context.pointer) }

  /// A new session on `descriptor`; `nil` without memory.
  func session(on descriptor: CInt) -> TLSSession? { unsafe TLSSession(context.pointer, descriptor: descriptor) }

  // MARK: Kinds

  /// Forward secrecy and authenticated encryption, for TLS 1.2; all of 1.3 is like that.
  private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"

  static func server(_ identity: TLSIdentity) throws(TLSFailure) -> TLSContext {
    try unsafe TLSContext(TLS_server_method()) { context throws(TLSFailure) in
      unsafe SSL_CTX_set_cipher_list(context, ciphers)
      try unsafe setGroups(of: context)
      unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
      try unsafe load(identity, into: context)
    }
  }

  /// Of larger groups the client has the choice and we the work.
  private static func setGroups(of context: OpaquePointer) throws(TLSFailure) {
    let result = unsafe "X25519:P-256:P-384".withCString { names in
      unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, UnsafeMutableRawPointer(mutating: names))
    }
    guard result == 1 else { throw TLSFailure("OpenSSL knows no X25519 or P-256") }
  }

  static func client(_ trust: TLSClient.Trust, _ identity: TLSIdentity?) throws(TLSFailure) -> TLSContext {
    try unsafe TLSContext(TLS_client_method()) { context throws(TLSFailure) in
      switch trust {
      case .anybody: unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
      case .system:
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_default_verify_paths(context)
      case .file(let path):
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        try check(path)
        guard unsafe SSL_CTX_load_verify_file(context, path) == 1 else {
          throw TLSFailure("\(path) holds no certificate: \(ErrorQueue.text(ErrorQueue.take()))")
        }
      }
      if let identity { try unsafe load(identity, into: context) }
    }
  }

  private static func load(_ identity: TLSIdentity, into context: OpaquePointer) throws(TLSFailure) {
    let (certificate, key) = (identity.certificateFile, identity.keyFile)
    try check(certificate)
    try check(key)
    guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
      throw TLSFailure("\(certificate) holds no usable certificate: \(ErrorQueue.text(ErrorQueue.take()))")
    }
    guard unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
      let code = ErrorQueue.take()
      let isForeign = ERR_GET_LIB(code) == ERR_LIB_X509
      throw TLSFailure(
        isForeign
          ? "the key in \(key) does not belong to the certificate in \(certificate)"
          : "\(key) holds no usable key (it must be PEM, without a password): \(ErrorQueue.text(code))")
    }
    guard unsafe SSL_CTX_check_private_key(context) == 1 else {
      throw TLSFailure("the key in \(key) does not belong to the certificate in \(certificate)")
    }
  }

  /// OpenSSL's own words for a file that cannot be read do not say why.
  private static func check(_ path: String) throws(TLSFailure) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw TLSFailure("\(path) cannot be read: \(unsafe String(cString: strerror(errno)))")
    }
    close(descriptor)
  }

  /// When the certificate ends, in seconds since 1970.
  var expiresAt: Int64? {
    guard let certificate = unsafe SSL_CTX_get0_certificate(context.pointer) else { return nil }
    var parts = unsafe tm()
    guard unsafe ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1 else { return nil }
    return Int64(unsafe timegm(&parts))
  }

  /// What is odd about the time for which the certificate is good; `nil`: nothing.
  var warning: String? {
    guard let certificate = unsafe SSL_CTX_get0_certificate(context.pointer) else { return nil }
    if unsafe X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0 { return "the certificate has expired" }
    if unsafe X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 { return "the certificate is not valid yet" }
    return nil
  }
}

/// ALPN (RFC 7301): WebSockets begin with HTTP/1.1. Who offers only others is told so.
private func selectProtocol(
  _: OpaquePointer?, chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, length: UnsafeMutablePointer<UInt8>?,
  offered: UnsafePointer<UInt8>?, offeredLength: UInt32, _: UnsafeMutableRawPointer?
) -> CInt {
  guard let chosen = unsafe chosen, let length = unsafe length, let offered = unsafe offered else {
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
  // A list of names, each behind its length. The answer points into it.
  let wanted: StaticString = "http/1.1"
  var index = 0
  while index < Int(offeredLength) {
    let count = unsafe Int(offered[index])
    let name = unsafe UnsafeBufferPointer(start: offered + index + 1, count: min(count, Int(offeredLength) - index - 1))
    if unsafe name.elementsEqual(UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount)) {
      unsafe chosen.pointee = offered + index + 1
      unsafe length.pointee = UInt8(count)
      return SSL_TLSEXT_ERR_OK
    }
    index += 1 + count
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL
}
