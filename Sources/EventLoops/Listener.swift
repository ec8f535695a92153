import CSystem
import Glibc

/// A listening TCP socket. Several loops may listen on one port; the kernel spreads the connections (SO_REUSEPORT).
public struct Listener: ~Copyable, Sendable {
  public enum Accepted: ~Copyable {
    case socket(Socket, from: Address)
    case wouldBlock
    /// No descriptor or kernel memory is left: stop accepting until something was closed, or the loop spins.
    case exhausted
  }

  public let descriptor: CInt
  /// The port that was bound; differs from the one asked for when that was 0.
  public let port: UInt16

  public init(_ address: Address, backlog: CInt = 4_096, sharesPort: Bool = true) throws(SystemError) {
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = Socket(taking: try systemCall("socket") { Glibc.socket(address.family, kind, 0) })
    socket.set(SOL_SOCKET, SO_REUSEADDR, to: 1)
    if sharesPort { socket.set(SOL_SOCKET, SO_REUSEPORT, to: 1) }
    if address.family == AF_INET6 { socket.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, to: 0) }
    _ = try systemCall("bind") { unsafe address.withPointer { unsafe bind(socket.descriptor, $0, $1) } }
    _ = try systemCall("listen") { listen(socket.descriptor, backlog) }
    port = Address.local(of: socket.descriptor).port
    descriptor = socket.release()
  }

  deinit { close(descriptor) }

  /// Takes one waiting connection. Never blocks.
  public borrowing func accept() -> Accepted {
    while true {
      var from = sockaddr_storage()
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let flags = CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
      let accepted = unsafe withUnsafeMutablePointer(to: &from) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe accept4(descriptor, $0, &length, flags) }
      }
      if accepted >= 0 {
        let socket = Socket(taking: accepted)
        socket.set(CInt(IPPROTO_TCP), TCP_NODELAY, to: 1)
        return .socket(socket, from: Address(from, length: length))
      }
      switch errno {
      case EAGAIN: return .wouldBlock
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
      case EBADF, EFAULT, EINVAL, ENOTSOCK: preconditionFailure("accept was given a bad listener")
      default: continue  // EINTR, and connections that died while they waited
      }
    }
  }
}

extension Socket {
  /// Hands the descriptor to another owner without closing it.
  consuming func release() -> CInt {
    let descriptor = self.descriptor
    discard self
    return descriptor
  }
}
