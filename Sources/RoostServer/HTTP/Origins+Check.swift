import HTTPCore

extension ServerConfiguration.Origins {
  /// Lets a page's request in or not: who opens a WebSocket from a foreign page must not speak in the user's name.
  func check(_ head: RequestHead, in bytes: RawSpan) throws(Refused) {
    guard let range = head.fields.value(of: "origin", in: bytes) else { return }
    let origin = head.text(range, in: bytes)
    let isAllowed =
      switch self {
      case .any: true
      case .listed(let allowed): allowed.contains { $0.lowercased() == origin.lowercased() }
      case .sameOrigin:
        Self.isSame(origin, host: head.fields.value(of: "host", in: bytes).map { head.text($0, in: bytes) })
      }
    let isRepeated = head.fields.occurrences(of: "origin", in: bytes) > 1
    guard isAllowed && !isRepeated else { throw Refused(.origin, .error(.forbidden, "origin not allowed")) }
  }

  /// `scheme://host[:port]` with exactly the request's host and port. The scheme may differ: TLS may end before us.
  private static func isSame(_ origin: String, host: String?) -> Bool {
    guard let host else { return false }
    for scheme in ["http://", "https://"] where origin.lowercased() == scheme + host.lowercased() { return true }
    return false
  }
}
