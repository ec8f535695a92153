import EventLoops
import Synchronization
import Tokens

/// What all shards of a node share: settings, and the few numbers that only make sense together.
///
/// Nothing here is touched per message.
final class NodeContext: Sendable {
  let configuration: ServerConfiguration
  let verifier: TokenVerifier
  /// Connections the node takes; beyond, and in its reserve of descriptors, it answers 503.
  let connectionLimit: Int
  /// The monotonic clock's milliseconds at the start.
  let startedAt = monotonicMilliseconds()
  let connectionCount = Atomic<Int>(0)
  let isReady = Atomic<Bool>(false)
  let isDraining = Atomic<Bool>(false)
  /// One for each shard, written by it at the end of a turn.
  let counters: [SharedCounters]
  /// One for each shard, written by it now and then while it has slow clients.
  let backlogs: [SharedBacklogs]
  let hubReport = SharedReport()
  let arrivals: Mutex<Arrivals>
  /// Connections whose first request is not complete, and how many of them there may be.
  let unfinishedCount = Atomic<Int>(0)
  let handshakeLimit: Int

  /// Descriptors kept for Redis, files, and for telling clients that the node is full.
  static let descriptorReserve = 64

  init(_ configuration: ServerConfiguration, verifier: TokenVerifier, shards: Int, descriptorLimit: Int) {
    self.configuration = configuration
    self.verifier = verifier
    let limits = configuration.limits
    let possible = max(1, descriptorLimit - Self.descriptorReserve)
    connectionLimit = limits.connections == 0 ? possible : min(limits.connections, possible)
    counters = (0..<shards).map { _ in SharedCounters() }
    backlogs = (0..<shards).map { _ in SharedBacklogs() }
    handshakeLimit = limits.handshakes == 0 ? max(64, connectionLimit / 4) : limits.handshakes
    arrivals = Mutex(Arrivals(limits))
  }
}
