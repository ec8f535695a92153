import EventLoops
import Locks
import RealtimeCore
import Synchronization
import Telemetry
import Transport

/// What all shards of a node share: settings, and the few numbers that only make sense together.
///
/// Nothing here is touched per message.
final class NodeContext: Sendable {
  let configuration: ServerConfiguration
  let keys: KeyKeeper
  /// May be exchanged while the node runs.
  let apiKeys: Mutex<APIKeys>
  /// The port speaks TLS; `nil`: in the clear.
  let tls: TLSServer?
  /// Connections the node takes; beyond, and in its reserve of descriptors, it answers 503.
  let connectionLimit: Int
  /// The monotonic clock's milliseconds at the start.
  let startedAt = monotonicMilliseconds()
  let connectionCount = Atomic<Int>(0)
  let isReady = Atomic<Bool>(false)
  let isDraining = Atomic<Bool>(false)
  /// One for each shard, written by it at the end of a turn.
  let counters: [SharedCounters]
  let refusals = Tally<RefusalReason>()
  let callRefusals = Tally<CallRefusalReason>()
  let closes = Tally<CloseReason>()
  /// Errors that clients were told by shards. The hub counts its own.
  let errors = Tally<ClientMistake.Code>()
  /// One for each shard, written by it now and then while it has slow clients.
  let backlogs: [SharedBacklogs]
  /// Room messages that wait for a client, each time that some more had to. One for each shard.
  let queueDepths: [SharedHistogram]
  /// One for each shard and, if it has a loop of its own, the hub.
  let loops: [LoopTimes]
  /// How clients ended.
  let peerCloses = Tally<PeerClose>()
  let hubReport = SharedReport()
  let arrivals: Mutex<Arrivals>
  /// Connections whose first request is not complete, and how many of them there may be.
  let unfinishedCount = Atomic<Int>(0)
  /// Tokens that were looked at: what a flood of handshakes must not buy.
  let tokenChecks = Atomic<Int>(0)
  let handshakeLimit: Int
  /// What happens when somebody wants the node to drain; at most once.
  let whenDrainWanted: @Sendable () -> Void
  private let isDrainWanted = Atomic<Bool>(false)

  /// Descriptors kept for Redis, files, and for telling clients that the node is full.
  static let descriptorReserve = 64

  init(
    _ configuration: ServerConfiguration, keys: KeyKeeper, tls: TLSServer? = nil, shards: Int, descriptorLimit: Int,
    whenDrainWanted: @escaping @Sendable () -> Void = {}
  ) {
    self.configuration = configuration
    self.whenDrainWanted = whenDrainWanted
    (self.keys, self.tls) = (keys, tls)
    apiKeys = Mutex(APIKeys(configuration.apiKeys))
    let limits = configuration.limits
    let possible = max(1, descriptorLimit - Self.descriptorReserve)
    connectionLimit = limits.connections == 0 ? possible : min(limits.connections, possible)
    counters = (0..<shards).map { _ in SharedCounters() }
    backlogs = (0..<shards).map { _ in SharedBacklogs() }
    queueDepths = (0..<shards).map { _ in SharedHistogram(bounds: [1, 4, 16, 32, 64, 128, 256, 512, 1_024, 4_096]) }
    loops = (0..<shards).map { LoopTimes("\($0)") } + (shards > 1 ? [LoopTimes("hub")] : [])
    handshakeLimit = limits.handshakes == 0 ? max(64, connectionLimit / 4) : limits.handshakes
    arrivals = Mutex(Arrivals(limits))
  }

  /// Whether `text` is one of the API's keys.
  func isAPIKey(_ text: [UInt8]) -> Bool { apiKeys.locked { $0 }.contains(text) }

  /// Somebody wants the node to drain and to end. Nothing when it drains already: a second signal would end it at once.
  func wantDrain() {
    guard !isDraining.load(ordering: .relaxed), !isDrainWanted.exchange(true, ordering: .relaxed) else { return }
    whenDrainWanted()
  }
}
