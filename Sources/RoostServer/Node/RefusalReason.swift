import Telemetry

/// Why a handshake was turned away, for the metrics. Clients see less: bad tokens of all kinds get one answer.
enum RefusalReason: Int, CountedReason {
  /// Not HTTP as RFC 9112 has it, or not a handshake as RFC 6455 has it: 400, 414, 431.
  case malformed
  /// The request was not complete in time: 408.
  case timeout
  /// Another method, no upgrade, or another version: 405, 426.
  case notUpgrade
  /// The TLS handshake failed: no answer that anybody could read.
  case tls
  /// Too many connections of the address, or too fast: 429.
  case addressLimit
  /// Too many handshakes of all clients together: 429.
  case nodeRate
  /// So far over the limit of the address, or of the node, that it is not told.
  case flood
  /// The oldest of too many connections without a complete request: dropped.
  case crowdedOut
  /// A trusted proxy's connection that did not begin with a PROXY header: dropped.
  case proxyHeader
  case nodeFull, draining
  case origin
  /// None, bad or expired: 401.
  case token
  /// Good, but taken back: 401.
  case revoked
  /// The keys that may verify the token are not there yet: 503.
  case noKeys
  /// Two that differ: 400.
  case tokensDiffer
  /// Too many connections of the user: 429.
  case userLimit
  /// The hub gave no answer in time: 503.
  case noAnswer
}
