import EventLoops
import Locks
import Synchronization
import Telemetry
import Transport

/// What all shards of a node share: settings, and the few numbers that only make sense together.
///
/// Nothing here is touched per message.
final class NodeContext: Sendable {
  let configuration: ServerConfiguration
  let keys: KeyKeeper
  let apiKeys: APIKeys
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
  /// One for each shard, written by it now and then while it has slow clients.
  let backlogs: [SharedBacklogs]
  let hubReport = SharedReport()
  private let addresses: Mutex<AddressTable>

  /// Descriptors kept for Redis, files, and for telling clients that the node is full.
  static let descriptorReserve = 64

  init(
    _ configuration: ServerConfiguration, keys: KeyKeeper, tls: TLSServer? = nil, shards: Int, descriptorLimit: Int
  ) {
    self.configuration = configuration
    (self.keys, self.tls) = (keys, tls)
    apiKeys = APIKeys(configuration.apiKeys)
    let limits = configuration.limits
    let possible = max(1, descriptorLimit - Self.descriptorReserve)
    connectionLimit = limits.connections == 0 ? possible : min(limits.connections, possible)
    counters = (0..<shards).map { _ in SharedCounters() }
    backlogs = (0..<shards).map { _ in SharedBacklogs() }
    let table = AddressTable(limit: limits.connectionsPerAddress, perSecond: limits.connectsPerAddressPerSecond)
    addresses = Mutex(table)
  }

  /// A connection came: its entry in the table of addresses, and what its handshake will be told.
  func arrive(from host: String) -> (entry: AddressTable.Entry, isOverAddressLimit: Bool, isOverNodeLimit: Bool) {
    let now = monotonicNanoseconds()
    let (entry, isOver) = addresses.locked { $0.add(host, nanoseconds: now) }
    let count = connectionCount.add(1, ordering: .relaxed).newValue
    return (entry, isOver, count > connectionLimit)
  }

  func depart(_ entry: AddressTable.Entry) {
    addresses.locked { $0.remove(entry) }
    connectionCount.subtract(1, ordering: .relaxed)
  }

  func host(of entry: AddressTable.Entry) -> String { addresses.locked { $0.host(of: entry) } }

  /// How long this address has to wait before it may try a key or token again, in milliseconds; 0: not at all.
  func authenticationWait(_ entry: AddressTable.Entry) -> Int {
    let now = monotonicNanoseconds()
    return addresses.locked { $0.authenticationWait(entry, nanoseconds: now) }
  }

  func authenticationFailed(_ entry: AddressTable.Entry) {
    let now = monotonicNanoseconds()
    addresses.locked { $0.authenticationFailed(entry, nanoseconds: now) }
  }
}
