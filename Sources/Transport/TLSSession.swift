import COpenSSL
import EventLoops
import Glibc

/// The TLS of one stream: OpenSSL's `SSL`, over a socket that its stream owns.
///
///     send ─► SSL_write ─► unsent ─► kernel        unsent: what the kernel did not take, at most a record or two
///     receive ◄─ SSL_read ◄──────── kernel
///
/// OpenSSL would have a write that the kernel refused repeated with the same bytes. Nobody here could promise that: a
/// slow client's queue may be dropped. So OpenSSL never sees a full socket; what it encrypted waits in `unsent`, and as
/// long as it does nothing more is encrypted.
@safe
final class TLSSession {
  private let ssl: OpaquePointer
  var descriptor: CInt
  /// Encrypted, and not taken by the kernel.
  var unsent: [UInt8] = []
  /// What the kernel said last, when it refused.
  var systemError: CInt = 0
  /// The kernel has told the end of the stream.
  var isAtEnd = false
  /// Why nothing more can be sent; 0: it can.
  var brokenPipe: CInt = 0

  private(set) var isEstablished = false
  private(set) var holdsMore = false
  /// All bytes of a send are encrypted and some of them unsent: the last one was not reported as taken, so that the
  /// owner knows there is something to wait for. It is skipped when it comes again.
  private(set) var hasBegunNext = false
  private var wantsToWrite = false
  private var toldWritable = false
  private var endsWhenSent = false
  /// Said again to whoever asks again.
  private var ending: IOResult?
  private var errorCode: UInt = 0

  init?(_ context: OpaquePointer, descriptor: CInt) {
    ErrorQueue.clear()
    guard let ssl = unsafe SSL_new(context) else { return nil }
    unsafe (self.ssl, self.descriptor) = (ssl, descriptor)
    guard let bio = unsafe SocketBIO.make(for: self) else { return nil }
    unsafe SSL_set_bio(ssl, bio, bio)
  }

  deinit { unsafe SSL_free(ssl) }

  // MARK: Beginning

  func awaitClient() { unsafe SSL_set_accept_state(ssl) }

  /// False when `host` cannot be looked for in a certificate.
  func greet(_ host: String, isAddress: Bool, verifies: Bool) -> Bool {
    unsafe SSL_set_connect_state(ssl)
    if !isAddress {
      let isNamed = unsafe host.withCString { name in
        unsafe SSL_ctrl(
          ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), UnsafeMutableRawPointer(mutating: name))
      }
      guard isNamed == 1 else { return false }
    }
    guard verifies else { return true }
    let parameters = unsafe SSL_get0_param(ssl)
    unsafe X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    let isExpected =
      isAddress
      ? unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) : unsafe X509_VERIFY_PARAM_set1_host(parameters, host, 0)
    return isExpected == 1
  }

  /// `.done(0)` when it is over.
  func handshake() -> IOResult {
    if let ending { return ending }
    guard !isEstablished else { return .done(0) }
    guard flushUnsent() else { return ending ?? .wouldBlock }
    ErrorQueue.clear()
    let result = unsafe SSL_do_handshake(ssl)
    guard result == 1 else { return outcome(of: result) }
    (isEstablished, wantsToWrite) = (true, false)
    return .done(0)
  }

  // MARK: Bytes

  func receive(into buffer: inout MutableRawSpan, from offset: Int) -> IOResult {
    precondition(offset < buffer.byteCount)
    holdsMore = false
    let shaken = handshake()
    guard shaken == .done(0) else { return shaken }
    guard flushUnsent() || ending == nil else { return ending ?? .wouldBlock }
    let room = buffer.byteCount - offset
    var count = 0
    // Until all that OpenSSL has received is handed out. It receives no more than a record's length at once.
    repeat {
      ErrorQueue.clear()
      var added = 0
      let result = unsafe buffer.withUnsafeMutableBytes { memory in
        unsafe SSL_read_ex(ssl, memory.baseAddress! + offset + count, room - count, &added)
      }
      guard result == 1 else {
        let outcome = outcome(of: result)
        guard count > 0 else { return outcome }
        holdsMore = outcome != .wouldBlock
        return .done(count)
      }
      wantsToWrite = false
      count += added
    } while count < room && hasPending
    holdsMore = hasPending
    return .done(count)
  }

  /// Received and not handed out, decrypted or not.
  private var hasPending: Bool { unsafe SSL_has_pending(ssl) == 1 }

  func send(_ bytes: borrowing RawSpan) -> IOResult {
    if case .failed = ending { return ending ?? .wouldBlock }
    if !isEstablished {
      let shaken = handshake()
      guard shaken == .done(0) else { return shaken }
    }
    guard flushUnsent() else { return ending ?? .wouldBlock }
    var taken = hasBegunNext ? 1 : 0
    precondition(taken <= bytes.byteCount, "the byte that was not reported comes again")
    hasBegunNext = false
    while taken < bytes.byteCount && unsent.isEmpty && brokenPipe == 0 {
      ErrorQueue.clear()
      var added = 0
      let result = unsafe bytes.withUnsafeBytes { memory in
        unsafe SSL_write_ex(ssl, memory.baseAddress! + taken, memory.count - taken, &added)
      }
      guard result == 1 else {
        let outcome = outcome(of: result)
        return taken > 0 ? .done(taken) : outcome
      }
      taken += added
    }
    guard brokenPipe == 0 else { return .failed(brokenPipe) }
    guard taken == bytes.byteCount, !unsent.isEmpty else { return .done(taken) }
    hasBegunNext = true
    return taken == 1 ? .wouldBlock : .done(taken - 1)
  }

  /// What a call that did not succeed came to.
  private func outcome(of result: CInt) -> IOResult {
    switch unsafe SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: wantsToWrite = false
    case SSL_ERROR_WANT_WRITE: wantsToWrite = true
    case SSL_ERROR_ZERO_RETURN: ending = .endOfStream
    case SSL_ERROR_SYSCALL: ending = isAtEnd ? .endOfStream : .failed(systemError == 0 ? EPROTO : systemError)
    default:
      errorCode = ErrorQueue.take()
      ending = .failed(EPROTO)
    }
    ErrorQueue.clear()
    return ending ?? .wouldBlock
  }

  // MARK: Unsent

  var needsWritable: Bool { wantsToWrite || !unsent.isEmpty }

  var hasChangedNeeds: Bool { needsWritable != toldWritable }

  func noteNeeds() -> Bool {
    toldWritable = needsWritable
    return toldWritable
  }

  func flush() {
    // Who wanted to write and was refused finds out the next time.
    if flushUnsent() || ending != nil { wantsToWrite = false }
  }

  /// Offers the kernel what it has not taken. True when nothing is left.
  private func flushUnsent() -> Bool {
    guard !unsent.isEmpty else { return true }
    let count = unsafe unsent.withUnsafeBytes { unsafe write($0) }
    if count < 0 {
      if systemError != EAGAIN { ending = .failed(systemError) }
      return false
    }
    unsent.removeFirst(count)
    guard unsent.isEmpty else { return false }
    // Memory is for those who are slow.
    unsent = []
    if endsWhenSent { shutdown(descriptor, CInt(SHUT_WR)) }
    return true
  }

  /// How much the kernel took; -1: nothing, and `systemError` says why.
  func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    while true {
      let count = unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
      if count >= 0 { return count }
      systemError = errno
      if systemError != EINTR { return -1 }
    }
  }

  // MARK: Ending

  func shutdownSending() {
    sayGoodbye()
    endsWhenSent = true
    if unsent.isEmpty { shutdown(descriptor, CInt(SHUT_WR)) }
  }

  /// The stream is about to close the descriptor.
  func end() {
    sayGoodbye()
    descriptor = -1
  }

  /// close_notify (RFC 8446 section 6.1), once.
  private func sayGoodbye() {
    guard isEstablished, !endsWhenSent else { return }
    if case .failed = ending { return }
    ErrorQueue.clear()
    unsafe SSL_shutdown(ssl)
    ErrorQueue.clear()
  }

  // MARK: Failing

  var failure: String? {
    guard errorCode != 0 else { return nil }
    if ERR_GET_LIB(errorCode) == ERR_LIB_SSL, ERR_GET_REASON(errorCode) == SSL_R_WRONG_VERSION_NUMBER {
      return "what answers does not speak TLS"
    }
    let verdict = unsafe SSL_get_verify_result(ssl)
    guard verdict != X509_V_OK, let words = unsafe X509_verify_cert_error_string(verdict) else {
      return ErrorQueue.text(errorCode)
    }
    return unsafe "\(ErrorQueue.text(errorCode)): \(String(cString: words))"
  }

  var distrust: String? {
    guard ERR_GET_LIB(errorCode) == ERR_LIB_SSL, ERR_GET_REASON(errorCode) == SSL_R_CERTIFICATE_VERIFY_FAILED else {
      return nil
    }
    let verdict = unsafe SSL_get_verify_result(ssl)
    switch CInt(truncatingIfNeeded: verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: return "it is for another name"
    case X509_V_ERR_CERT_HAS_EXPIRED: return "it has expired"
    case X509_V_ERR_CERT_NOT_YET_VALID: return "it is not valid yet"
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
      X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "no authority that is believed here has signed it"
    default: return unsafe X509_verify_cert_error_string(verdict).map { unsafe String(cString: $0) }
    }
  }

  var peerSpeaksHTTP: Bool {
    ERR_GET_LIB(errorCode) == ERR_LIB_SSL && ERR_GET_REASON(errorCode) == SSL_R_HTTP_REQUEST
  }
}
