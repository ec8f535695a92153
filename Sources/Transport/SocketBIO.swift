import COpenSSL
import Glibc

/// OpenSSL's way to a session's socket: it never blocks, raises no SIGPIPE, and never refuses to take what is little.
enum SocketBIO {
  /// Encrypted bytes that a session keeps for a full socket before it refuses more: some handshakes and alerts, and any
  /// record. Only a peer who provokes answers and reads none gets there.
  private static let unsentLimit = 64 * 1_024

  /// A BIO whose events go to `session`, which must live longer; `nil` without memory.
  static func make(for session: TLSSession) -> OpaquePointer? {
    guard let bio = unsafe BIO_new(method.pointer) else { return nil }
    unsafe BIO_set_data(bio, Unmanaged.passUnretained(session).toOpaque())
    unsafe BIO_set_init(bio, 1)
    return unsafe bio
  }

  private static let method: SharedPointer = {
    let kind = BIO_get_new_index() | CInt(BIO_TYPE_SOURCE_SINK)
    guard let method = unsafe BIO_meth_new(kind, "socket of a session") else { preconditionFailure("no memory") }
    unsafe BIO_meth_set_write_ex(method, writeToSocket)
    unsafe BIO_meth_set_read_ex(method, readFromSocket)
    unsafe BIO_meth_set_ctrl(method, control)
    return unsafe SharedPointer(method)
  }()

  fileprivate static func session(of bio: OpaquePointer?) -> TLSSession? {
    guard let data = unsafe BIO_get_data(bio) else { return nil }
    return unsafe Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
  }

  fileprivate static func write(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession) -> Bool {
    guard session.unsent.count < unsentLimit else { return false }
    var sent = 0
    if session.unsent.isEmpty {
      sent = unsafe session.write(bytes)
      if sent < 0 {
        guard session.systemError == EAGAIN else {
          // Not OpenSSL's affair: what was received before may still be read.
          session.brokenPipe = session.systemError
          return true
        }
        sent = 0
      }
    }
    if sent < bytes.count { unsafe session.unsent.append(contentsOf: bytes[sent...]) }
    return true
  }

  fileprivate static func setRetry(_ bio: OpaquePointer?, _ direction: CInt) {
    unsafe BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY)
  }

  fileprivate static func clearRetry(_ bio: OpaquePointer?) {
    unsafe BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
  }
}

private func writeToSocket(
  _ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ count: Int, _ written: UnsafeMutablePointer<Int>?
) -> CInt {
  unsafe SocketBIO.clearRetry(bio)
  guard let session = unsafe SocketBIO.session(of: bio), session.descriptor >= 0 else { return 0 }
  guard unsafe SocketBIO.write(UnsafeRawBufferPointer(start: bytes, count: count), session) else {
    unsafe SocketBIO.setRetry(bio, BIO_FLAGS_WRITE)
    return -1
  }
  unsafe written?.pointee = count
  return 1
}

private func readFromSocket(
  _ bio: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int,
  _ received: UnsafeMutablePointer<Int>?
) -> CInt {
  unsafe SocketBIO.clearRetry(bio)
  guard let session = unsafe SocketBIO.session(of: bio), session.descriptor >= 0 else { return 0 }
  while true {
    let count = unsafe recv(session.descriptor, buffer, capacity, 0)
    if count > 0 {
      unsafe received?.pointee = count
      return 1
    }
    guard count < 0 else {
      session.isAtEnd = true
      return 0
    }
    session.systemError = errno
    if session.systemError == EAGAIN {
      unsafe SocketBIO.setRetry(bio, BIO_FLAGS_READ)
      return -1
    }
    if session.systemError != EINTR { return -1 }
  }
}

private func control(_ bio: OpaquePointer?, _ command: CInt, _: Int, _: UnsafeMutableRawPointer?) -> Int {
  switch command {
  case BIO_CTRL_FLUSH: 1
  case BIO_CTRL_EOF: unsafe SocketBIO.session(of: bio)?.isAtEnd == true ? 1 : 0
  default: 0
  }
}
