import RealtimeCore

/// Connections and connect rate of each client address. Shared by the shards, touched only when a connection comes
/// or goes; the owner locks.
struct AddressTable {
  /// Names an address for as long as it has connections.
  typealias Entry = UInt32

  private struct Address {
    var host: String
    var connections = 0
    var bucket = TokenBucket()
    /// Attempts to use the API that failed.
    var failures = TokenBucket()
  }

  /// Addresses without connections are remembered, for their rate, until there are so many of them.
  private static let idleLimit = 10_000
  /// Failed attempts of one address: ten at once, then one in ten seconds.
  private static let failureRate = Rate(burst: 10, nanosecondsPerToken: 10_000_000_000)
  private let limit: Int
  private let rate: Rate
  private var addresses: [Address] = []
  private var entries: [String: Entry] = [:]
  private var free: [Entry] = []
  private var idle = 0

  /// `limit`: connections of one address.
  init(limit: Int, perSecond: Int) {
    self.limit = limit
    rate = Rate(burst: 4 * perSecond, perSecond: perSecond)
  }

  var count: Int { entries.count }

  func host(of entry: Entry) -> String { addresses[Int(entry)].host }

  /// A connection came. `isOver`: it is one too many, or comes too soon.
  mutating func add(_ host: String, nanoseconds now: Int64) -> (entry: Entry, isOver: Bool) {
    let entry = entries[host] ?? make(host, now)
    let isKnown = addresses[Int(entry)].connections > 0
    if !isKnown { idle -= 1 }
    addresses[Int(entry)].connections += 1
    let isTooMany = addresses[Int(entry)].connections > limit
    let isTooSoon = addresses[Int(entry)].bucket.take(at: now, rate: rate) != .allowed
    return (entry, isTooMany || isTooSoon)
  }

  mutating func remove(_ entry: Entry) {
    addresses[Int(entry)].connections -= 1
    if addresses[Int(entry)].connections == 0 { idle += 1 }
  }

  /// How long the address has to wait before it may try to authenticate again, in milliseconds; 0: not at all.
  func authenticationWait(_ entry: Entry, nanoseconds now: Int64) -> Int {
    var failures = addresses[Int(entry)].failures
    guard case .refused(let wait) = failures.take(at: now, rate: Self.failureRate) else { return 0 }
    return wait
  }

  mutating func authenticationFailed(_ entry: Entry, nanoseconds now: Int64) {
    _ = addresses[Int(entry)].failures.take(at: now, rate: Self.failureRate)
  }

  private mutating func make(_ host: String, _ now: Int64) -> Entry {
    if idle >= Self.idleLimit { sweep(now) }
    let entry: Entry
    if let reused = free.popLast() {
      entry = reused
      addresses[Int(entry)] = Address(host: host)
    } else {
      entry = Entry(addresses.count)
      addresses.append(Address(host: host))
    }
    entries[host] = entry
    idle += 1
    return entry
  }

  /// Forgets the addresses without connections; those whose bucket is not full only when there are too many of them.
  private mutating func sweep(_ now: Int64) {
    for mustForget in [false, true] where idle >= Self.idleLimit {
      for (host, entry) in entries where addresses[Int(entry)].connections == 0 {
        let address = addresses[Int(entry)]
        guard mustForget || address.bucket.isFull(at: now) && address.failures.isFull(at: now) else { continue }
        entries[host] = nil
        free.append(entry)
        idle -= 1
      }
    }
  }
}
