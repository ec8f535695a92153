public import EventLoops
import Glibc
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

  public init(address: Address, host: String, target: String, token: String? = nil) {
    (self.address, self.host, self.target, self.token) = (address, host, target, token)
  }

  /// A socket that begins to connect there.
  func connect() throws(SystemError) -> ByteStream {
    let socket = try Socket.connect(to: address)
    guard let tls else { return ByteStream(socket) }
    guard let stream = tls.connect(socket, to: address.host) else { throw SystemError(call: "TLS", code: ENOMEM) }
    return stream
  }

  /// Takes `ws://host[:port][/path][?query]` with a numeric host or `localhost`, or `wss://…`, which believes any
  /// certificate: what is measured is one's own. `nil` when it is none.
  public init?(_ url: String, token: String? = nil) {
    guard let scheme = ["ws://", "http://", "wss://", "https://"].first(where: url.hasPrefix) else { return nil }
    let isSecure = ["wss://", "https://"].contains(scheme)
    let rest = url.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let target = rest[authority.endIndex...]
    var name = authority
    var port: UInt16 = isSecure ? 443 : 80
    if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
      guard let number = UInt16(authority[authority.index(after: colon)...]) else { return nil }
      (name, port) = (authority[..<colon], number)
    }
    if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
    guard let address = Address(host: name == "localhost" ? "127.0.0.1" : String(name), port: port),
      target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    let path = target.isEmpty ? "/" : target.hasPrefix("?") ? "/" + target : String(target)
    self.init(address: address, host: String(authority), target: path, token: token)
    if isSecure {
      guard let client = try? TLSClient(.anybody) else { return nil }
      tls = client
    }
  }
}
