import CSystem
import Glibc

/// A non-blocking stream socket with exactly one owner. It cannot be closed twice, or forgotten.
public struct Socket: ~Copyable, Sendable {
  public let descriptor: CInt

  /// Takes over an open, non-blocking descriptor.
  public init(taking descriptor: CInt) {
    precondition(descriptor >= 0)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Starts to connect. The socket becomes writable when that is decided; ask ``takeError()`` then.
  public static func connect(to address: Address) throws(SystemError) -> Socket {
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = Socket(taking: try systemCall("socket") { Glibc.socket(address.family, kind, 0) })
    if address.family != AF_UNIX { socket.set(CInt(IPPROTO_TCP), TCP_NODELAY, to: 1) }
    let result = unsafe address.withPointer { unsafe Glibc.connect(socket.descriptor, $0, $1) }
    guard result == 0 || errno == EINPROGRESS || errno == EAGAIN else {
      throw SystemError(call: "connect", code: errno)
    }
    return socket
  }

  /// Receives into `buffer` from `offset` on. Never blocks.
  public borrowing func receive(into buffer: inout MutableRawSpan, from offset: Int = 0) -> IOResult {
    precondition(offset < buffer.byteCount)
    return receive(into: &buffer, from: offset, flags: 0)
  }

  /// Looks at what would be received, and leaves it there. Never blocks.
  public borrowing func peek(into buffer: inout MutableRawSpan) -> IOResult {
    precondition(buffer.byteCount > 0)
    return receive(into: &buffer, from: 0, flags: CInt(MSG_PEEK))
  }

  /// Takes `count` bytes that were peeked at off the stream.
  public borrowing func discard(_ count: Int) {
    var left = count
    while left > 0 {
      // TCP throws away what MSG_TRUNC receives (tcp(7)).
      let result = recv(descriptor, nil, left, CInt(MSG_TRUNC))
      if result < 0, errno == EINTR { continue }
      guard result > 0 else { return }
      left -= result
    }
  }

  private borrowing func receive(into buffer: inout MutableRawSpan, from offset: Int, flags: CInt) -> IOResult {
    unsafe buffer.withUnsafeMutableBytes { memory in
      while true {
        let count = unsafe recv(descriptor, memory.baseAddress! + offset, memory.count - offset, flags)
        if count == 0 { return .endOfStream }
        if let result = ioResult(count) { return result }
      }
    }
  }

  /// Sends as much of `bytes` as the kernel takes. Never blocks, never raises SIGPIPE.
  @inline(__always)
  public borrowing func send(_ bytes: borrowing RawSpan) -> IOResult {
    unsafe bytes.withUnsafeBytes { memory in
      while true {
        if let result = ioResult(unsafe Glibc.send(descriptor, memory.baseAddress, memory.count, Self.sendFlags)) {
          return result
        }
      }
    }
  }

  /// Ends the sending direction; what was sent still arrives.
  public borrowing func shutdownSending() { shutdown(descriptor, CInt(SHUT_WR)) }

  /// Makes the close that follows drop unsent bytes and reset the connection.
  public borrowing func resetOnClose() {
    var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
  }

  /// The pending error (0: none), for instance why a connect failed.
  public borrowing func takeError() -> CInt {
    var code: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
    return code
  }

  /// Gives up on unacknowledged data after `milliseconds` (TCP_USER_TIMEOUT, RFC 5482).
  public borrowing func setUserTimeout(milliseconds: CInt) {
    set(CInt(IPPROTO_TCP), CInt(TCP_USER_TIMEOUT), to: milliseconds)
  }

  /// Bytes that the kernel may hold unsent for this socket.
  public borrowing func setSendBuffer(bytes: CInt) { set(SOL_SOCKET, SO_SNDBUF, to: bytes) }
  public borrowing func setReceiveBuffer(bytes: CInt) { set(SOL_SOCKET, SO_RCVBUF, to: bytes) }

  borrowing func set(_ level: CInt, _ option: CInt, to value: CInt) {
    var value = value
    unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
  }

  private static var sendFlags: CInt { CInt(MSG_NOSIGNAL) }
}
