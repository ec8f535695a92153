import HTTPCore

extension ServerConfiguration.Origins {
  /// Lets a page's request in or not: who opens a WebSocket from a foreign page must not speak in the user's name.
  ///
  /// Browsers send exactly one origin, in lower case, without a default port and without a slash at its end (RFC 6454
  /// section 6.2): anything else is either no browser or a trick, and is not taken for what it resembles.
  func check(_ head: RequestHead, in bytes: RawSpan) throws(Refused) {
    guard let range = head.fields.value(of: "origin", in: bytes) else { return }
    let origin = head.text(range, in: bytes)
    let isAllowed =
      switch self {
      case .any: true
      case .listed(let allowed): allowed.contains(origin)
      case .sameOrigin:
        Self.isSame(origin, host: head.fields.value(of: "host", in: bytes).map { head.text($0, in: bytes) } ?? "")
      }
    let isRepeated = head.fields.occurrences(of: "origin", in: bytes) > 1
    guard isAllowed && !isRepeated else { throw Refused(.origin, .error(.forbidden, "origin not allowed")) }
  }

  /// `scheme://host[:port]` with exactly the request's host and port. The scheme may be either, because TLS may end
  /// before us; it decides which port a host without one means.
  private static func isSame(_ origin: String, host: String) -> Bool {
    for (scheme, port) in [("http://", ":80"), ("https://", ":443")] where origin.hasPrefix(scheme) {
      let own = host.lowercased()
      return [scheme + own, scheme + own + port].contains(origin) || origin + port == scheme + own
    }
    return false
  }
}
