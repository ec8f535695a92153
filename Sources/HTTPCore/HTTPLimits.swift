/// What one request may cost. Each limit has its own refusal, see ``RequestError``.
public struct HTTPLimits: Equatable, Sendable {
  /// Longest target, in bytes: 2 KiB of path and query and a token of 4 KiB. Beyond: 414.
  public var targetBytes = 6 * 1024
  /// Largest header block, in bytes, line ends included, request line and last empty line not. Beyond: 431.
  public var headerBytes = 8 * 1024
  /// Most header lines. Beyond: 431.
  public var headerCount = 64
  /// Largest body a request may announce, in bytes. Beyond: 413.
  public var bodyBytes = 64 * 1024

  public init() {}

  /// All problems at once, in words an operator can act on. Empty means usable; anything else stops the parser.
  public var problems: [String] {
    var problems: [String] = []
    if targetBytes < 1 || headerBytes < 1 || headerCount < 1 || bodyBytes < 0 {
      problems.append("HTTP limits must be positive")
    }
    if headBytes > Int(UInt16.max) { problems.append("HTTP target and header limits must stay under 64 KiB together") }
    return problems
  }

  /// The longest head these limits let through, in bytes: what a connection has to be able to hold.
  public var headBytes: Int { requestLineBytes + headerBytes + 2 }

  /// Target, the longest method we look at, two spaces, `HTTP/1.1` and the line end.
  var requestLineBytes: Int { targetBytes + Method.longest + 12 }
}
