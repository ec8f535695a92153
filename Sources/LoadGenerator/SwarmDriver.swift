import Buffers

/// What the clients of a swarm do. Called on the swarm's thread only.
///
/// `client` names the connection until ``ended(_:tag:_:_:)``; `tag` is what the driver called it when it opened it.
protocol SwarmDriver: ~Copyable {
  mutating func opened(_ client: UInt32, tag: Int, _ wire: inout Wire)
  mutating func received(_ message: borrowing RawSpan, by client: UInt32, tag: Int, _ wire: inout Wire)
  mutating func ended(_ client: UInt32, tag: Int, _ ending: Ending, _ wire: inout Wire)
  /// Before each wait, and before what was said leaves.
  mutating func turn(_ wire: inout Wire)
  /// When to turn without any event, in milliseconds of the monotonic clock.
  var deadline: Int64? { get }
}

/// A driver that comes to an end and knows what it measured.
protocol Measurement: SwarmDriver, ~Copyable {
  init(_ plan: BenchPlan)
  var isDone: Bool { get }
  var report: BenchReport { get }
}
