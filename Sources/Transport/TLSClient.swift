public import EventLoops

/// Our side of TLS towards a server. TLS 1.2 and 1.3.
public final class TLSClient: Sendable {
  /// Whose certificates are believed.
  public enum Trust: Sendable, Equatable {
    /// Those of the authorities that the machine trusts.
    case system
    /// Those of the authorities in this PEM file.
    case file(String)
    /// Any, and for any name: for measuring and for asking the own node how it is, never for secrets.
    case anybody
  }

  private let context: TLSContext
  private let trust: Trust

  /// - Parameter identity: what is shown to a server that asks who we are.
  public init(_ trust: Trust, identity: TLSIdentity? = nil) throws(TLSFailure) {
    self.trust = trust
    context = try TLSContext.client(trust, identity)
  }

  /// Takes over a socket that is connected, or about to be, and says hello when it is moved on.
  ///
  /// - Parameter host: the name or numeric address the certificate must be for. Names are told to the server (SNI).
  /// - Returns: `nil`, and the socket closed, when there is no memory or `host` cannot be a name.
  public func connect(_ socket: consuming Socket, to host: String) -> ByteStream? {
    guard let session = context.session(on: socket.descriptor) else { return nil }
    let isAddress = Address(host: host, port: 0) != nil
    guard session.greet(host, isAddress: isAddress, verifies: trust != .anybody) else { return nil }
    return ByteStream(socket, session)
  }
}
