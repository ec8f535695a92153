public import EventLoops
import Locks
import Synchronization

/// Our side of TLS towards clients: one certificate, which may be exchanged while connections live on.
///
/// TLS 1.2 and 1.3 with forward secrecy only; `http/1.1` is the one protocol (ALPN); tickets, no cache of sessions.
public final class TLSServer: Sendable {
  private let identity: TLSIdentity
  private let context: Mutex<TLSContext>

  public init(_ identity: TLSIdentity) throws(TLSFailure) {
    self.identity = identity
    context = Mutex(try TLSContext.server(identity))
  }

  /// Reads the files again. Connections made from now on get what they hold; if that is no good, all stays as it was.
  public func reload() throws(TLSFailure) {
    let fresh = try TLSContext.server(identity)
    context.locked { $0 = fresh }
  }

  /// What is odd about the certificate, though it can be used: it has expired, or is not valid yet.
  public var warning: String? { context.locked { $0 }.warning }

  /// When the certificate that new connections get ends, in seconds since 1970.
  public var expiresAt: Int64? { context.locked { $0 }.expiresAt }

  /// Takes a connection over; the client has the first word. `nil`, and the socket closed, when there is no memory.
  public func accept(_ socket: consuming Socket) -> ByteStream? {
    guard let session = context.locked({ $0 }).session(on: socket.descriptor) else { return nil }
    session.awaitClient()
    return ByteStream(socket, session)
  }
}
