/// What a proxy says about a connection before the connection's own bytes: the PROXY protocol, versions 1 and 2, as
/// haproxy defined it (`doc/proxy-protocol.txt` in its sources).
///
/// Whoever may send it may claim any address, so it is read from trusted proxies only.
public struct ProxyHeader: Equatable, Sendable {
  /// Who connected to the proxy. Nil when the proxy speaks for itself, as in its health checks, or does not know.
  public let source: IPAddress?
  /// Where the connection's own bytes begin.
  public let byteCount: Int

  /// The longest header taken, in bytes: addresses, and what proxies like to add about TLS, with room to spare.
  public static let byteLimit = 4_096

  /// The header at the front of `bytes`, or nil when it is not complete; then all of `bytes` belong to it.
  ///
  /// Keep the bytes, add what arrives, ask again.
  public static func parse(_ bytes: borrowing RawSpan) throws(ProxyHeaderError) -> ProxyHeader? {
    guard bytes.byteCount > 0 else { return nil }
    return bytes.byte(0) == UInt8(ascii: "P") ? try text(bytes) : try binary(bytes)
  }

  /// Whether `bytes` begin with `beginning`, as far as they go.
  static func begins(_ bytes: borrowing RawSpan, with beginning: StaticString) -> Bool {
    for index in 0..<min(bytes.byteCount, beginning.utf8CodeUnitCount)
    where bytes.byte(index) != (unsafe beginning.utf8Start[index]) { return false }
    return true
  }
}

/// Why a connection of a trusted proxy is of no use. Nobody knows who sent it, so it is not answered.
public enum ProxyHeaderError: Error, Equatable, Sendable {
  /// No header, or one that breaks its own rules.
  case malformed
  /// Longer than ``ProxyHeader/byteLimit``.
  case tooLong
}
