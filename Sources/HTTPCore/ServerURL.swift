/// Where a server is, as people write it: `ws://host[:port][/path][?query]`, or `http`, `wss`, `https`.
public struct ServerURL: Equatable, Sendable {
  /// Through TLS.
  public let isSecure: Bool
  /// A name or a numeric address, an IPv6 one without its brackets.
  public let host: String
  public let port: UInt16
  /// Host and port as they were written: what the `Host` header shows.
  public let authority: String
  /// Path and query; `/` when there is neither.
  public let target: String

  /// `nil` when `text` is no such address: another scheme, a user or a fragment in it, no host, a port that is none.
  public init?(_ text: String) {
    let schemes = [("ws://", false), ("http://", false), ("wss://", true), ("https://", true)]
    guard let (scheme, isSecure) = schemes.first(where: { text.hasPrefix($0.0) }) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let target = rest[authority.endIndex...]
    var host = authority
    var port: UInt16 = isSecure ? 443 : 80
    if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
      guard let number = UInt16(authority[authority.index(after: colon)...]) else { return nil }
      (host, port) = (authority[..<colon], number)
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty, authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "@") }),
      target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
    else { return nil }
    (self.isSecure, self.host, self.port) = (isSecure, String(host), port)
    self.authority = String(authority)
    self.target = target.isEmpty ? "/" : target.hasPrefix("?") ? "/" + target : String(target)
  }
}
