import HTTPCore
import RealtimeCore

/// Connections and connect rate of each client address, an IPv6 address by the network its owner was given. Shared by
/// the shards, touched only when a connection or a request for a page comes; the owner locks.
struct AddressTable {
  /// Names an address for as long as it has connections.
  typealias Entry = UInt32

  /// What becomes of one more connection or request.
  enum Verdict: Equatable { case welcome, refused, dropped }

  private struct Household {
    var address: IPAddress
    var connections = 0
    var bucket = TokenBucket()
    /// Attempts to use the API that failed.
    var failures = TokenBucket()
    /// Refusals that cost us a handshake of TLS.
    var courtesies = TokenBucket()

    /// Whether forgetting it would change nothing.
    func isRested(at now: Int64) -> Bool {
      bucket.isFull(at: now) && failures.isFull(at: now) && courtesies.isFull(at: now)
    }
  }

  /// Addresses without connections are remembered, for their rate, until there are so many of them.
  private static let idleLimit = 10_000
  /// So many over the limit, or as many as the limit itself, may wait to be told so; more are not even told.
  private static let leastTold = 16
  /// Failed attempts of one address: ten at once, then one in ten seconds.
  private static let failureRate = Rate(burst: 10, nanosecondsPerToken: 10_000_000_000)
  /// Refusals through TLS of one address: four at once, then one in ten seconds. Each is a signature of ours.
  private static let courtesyRate = Rate(burst: 4, nanosecondsPerToken: 10_000_000_000)
  private let limit: Int
  private let rate: Rate
  private var households: [Household] = []
  private var entries: [IPAddress: Entry] = [:]
  private var free: [Entry] = []
  private var idle = 0

  /// `limit`: connections of one address.
  init(limit: Int, perSecond: Int) {
    self.limit = limit
    rate = Rate(burst: 4 * perSecond, perSecond: perSecond)
  }

  var count: Int { entries.count }

  func address(of entry: Entry) -> IPAddress { households[Int(entry)].address }

  /// A connection came.
  ///
  /// - Parameter isLimited: false for proxies, which bring the connections of many.
  mutating func add(_ address: IPAddress, isLimited: Bool = true, nanoseconds now: Int64) -> (Entry, Verdict) {
    // A proxy is nobody's household, and does not use up that of its neighbours.
    let entry = find(isLimited ? address.household : address, now)
    if households[Int(entry)].connections == 0 { idle -= 1 }
    households[Int(entry)].connections += 1
    let count = households[Int(entry)].connections
    guard isLimited else { return (entry, .welcome) }
    guard count <= limit + max(limit, Self.leastTold) else { return (entry, .dropped) }
    let verdict = take(entry, now)
    return (entry, count > limit ? .refused : verdict)
  }

  mutating func remove(_ entry: Entry) {
    households[Int(entry)].connections -= 1
    if households[Int(entry)].connections == 0 { idle += 1 }
  }

  /// A further request on a connection that is counted: costs its sender as much as a new one.
  mutating func ask(_ entry: Entry, nanoseconds now: Int64) -> Verdict { take(entry, now) }

  /// A request of somebody whose connections are a proxy's.
  mutating func ask(_ address: IPAddress, nanoseconds now: Int64) -> Verdict { take(find(address.household, now), now) }

  /// How long the address has to wait before it may try to authenticate again, in milliseconds; 0: not at all.
  func authenticationWait(_ entry: Entry, nanoseconds now: Int64) -> Int {
    var failures = households[Int(entry)].failures
    guard case .refused(let wait) = failures.take(at: now, rate: Self.failureRate) else { return 0 }
    return wait
  }

  mutating func authenticationFailed(_ entry: Entry, nanoseconds now: Int64) {
    _ = households[Int(entry)].failures.take(at: now, rate: Self.failureRate)
  }

  /// Whether an address that is refused gets a handshake of TLS, so that it can be told.
  mutating func extendCourtesy(_ entry: Entry, nanoseconds now: Int64) -> Bool {
    households[Int(entry)].courtesies.take(at: now, rate: Self.courtesyRate) == .allowed
  }

  private mutating func take(_ entry: Entry, _ now: Int64) -> Verdict {
    households[Int(entry)].bucket.take(at: now, rate: rate) == .allowed ? .welcome : .refused
  }

  private mutating func find(_ address: IPAddress, _ now: Int64) -> Entry {
    entries[address] ?? make(address, now)
  }

  private mutating func make(_ address: IPAddress, _ now: Int64) -> Entry {
    if idle >= Self.idleLimit { sweep(now) }
    let entry: Entry
    if let reused = free.popLast() {
      entry = reused
      households[Int(entry)] = Household(address: address)
    } else {
      entry = Entry(households.count)
      households.append(Household(address: address))
    }
    entries[address] = entry
    idle += 1
    return entry
  }

  /// Forgets addresses without connections: those whose bucket is full, and when that is not half of them, all. So a
  /// sweep is paid for by the thousands of addresses that came since the last.
  private mutating func sweep(_ now: Int64) {
    for mustForget in [false, true] where idle > Self.idleLimit / 2 {
      for (address, entry) in entries where households[Int(entry)].connections == 0 {
        let household = households[Int(entry)]
        guard mustForget || household.isRested(at: now) else { continue }
        entries[address] = nil
        free.append(entry)
        idle -= 1
      }
    }
  }
}
