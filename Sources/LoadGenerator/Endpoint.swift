public import EventLoops
import Glibc
import HTTPCore
public import Transport

/// Where clients connect, and with which token.
public struct Endpoint: Sendable {
  public let address: Address
  /// As the `Host` header shows it.
  public let host: String
  /// Path and query.
  public let target: String
  /// Sent as `Authorization: Bearer`; `nil`: no token.
  public var token: String?
  /// Through TLS.
  public var tls: TLSClient?
  /// Whom the certificate must be for; `nil`: the address.
  public var serverName: String?

  public init(address: Address, host: String, target: String, token: String? = nil) {
    (self.address, self.host, self.target, self.token) = (address, host, target, token)
  }

  /// A socket that begins to connect there.
  func connect() throws(SystemError) -> ByteStream {
    let socket = try Socket.connect(to: address)
    guard let tls else { return ByteStream(socket) }
    let name = serverName ?? address.host
    guard let stream = tls.connect(socket, to: name) else { throw SystemError(call: "TLS", code: ENOMEM) }
    return stream
  }

  /// Takes `ws://host[:port][/path][?query]` with a numeric host or `localhost`, or `wss://…`, which believes any
  /// certificate: what is measured is one's own. `nil` when it is none.
  public init?(_ url: String, token: String? = nil) {
    guard let url = ServerURL(url) else { return nil }
    let host = url.host == "localhost" ? "127.0.0.1" : url.host
    guard let address = Address(host: host, port: url.port) else { return nil }
    self.init(address: address, host: url.authority, target: url.target, token: token)
    if url.isSecure {
      guard let client = try? TLSClient(.anybody) else { return nil }
      tls = client
    }
  }
}
