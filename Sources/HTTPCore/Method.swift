/// What a request asks for. Methods that no route of ours has are ``other``: the router answers 405.
public enum Method: Equatable, Sendable {
  case get, head, post, put, patch, delete, options, other

  /// Longest method name that is looked at, in bytes; a longer one is no method.
  static let longest = 32

  /// The method named by `range`; nil when that is no token (RFC 9110 section 9.1). Names are case-sensitive.
  init?(_ range: Range<Int>, in bytes: borrowing RawSpan) {
    guard !range.isEmpty, range.count <= Self.longest else { return nil }
    for index in range where !ASCII.isToken(bytes.byte(index)) { return nil }
    for (method, name) in Self.names where bytes.equals(name, in: range) {
      self = method
      return
    }
    self = .other
  }

  private static let names: [(Method, StaticString)] = [
    (.get, "GET"), (.post, "POST"), (.head, "HEAD"), (.put, "PUT"), (.patch, "PATCH"), (.delete, "DELETE"),
    (.options, "OPTIONS"),
  ]

  /// GET and HEAD never carry a body here: what it would mean is undefined, and proxies disagree (RFC 9110
  /// section 9.3.1).
  var forbidsBody: Bool { self == .get || self == .head }
}
