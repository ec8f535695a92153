import EventLoops
import HTTPCore
import Locks
import RealtimeCore
import Synchronization

/// What all shards know about who comes, behind one lock.
struct Arrivals {
  var addresses: AddressTable
  /// Handshakes of the whole node.
  var bucket = TokenBucket()
  let rate: Rate?

  init(_ limits: ServerConfiguration.Limits) {
    addresses = AddressTable(limit: limits.connectionsPerAddress, perSecond: limits.connectsPerAddressPerSecond)
    let perSecond = limits.connectsPerSecond
    rate = perSecond == 0 ? nil : Rate(burst: perSecond, perSecond: perSecond)
  }
}

/// A connection that came, or whose client became known.
struct Arrival {
  let entry: AddressTable.Entry
  let verdict: AddressTable.Verdict
}

extension NodeContext {
  /// Whether the address is a proxy's, whose word about its clients counts.
  func trusts(_ address: IPAddress) -> Bool { configuration.trustedProxies.contains { $0.contains(address) } }

  /// A connection came. Ended by ``depart(_:)``, whatever the verdict.
  func arrive(from address: IPAddress) -> (arrival: Arrival, isOverNodeLimit: Bool) {
    let count = connectionCount.add(1, ordering: .relaxed).newValue
    let (isLimited, now) = (!trusts(address), monotonicNanoseconds())
    let (entry, verdict) = arrivals.locked { $0.addresses.add(address, isLimited: isLimited, nanoseconds: now) }
    // Half of the reserve is for telling clients that the node is full, the other for what the node itself opens.
    let isTold = count <= connectionLimit + Self.descriptorReserve / 2
    return (Arrival(entry: entry, verdict: isTold ? verdict : .dropped), count > connectionLimit)
  }

  /// A proxy's connection turned out to be this client's.
  func move(_ entry: AddressTable.Entry, to address: IPAddress) -> Arrival {
    let (isLimited, now) = (!trusts(address), monotonicNanoseconds())
    let (new, verdict) = arrivals.locked { arrivals in
      arrivals.addresses.remove(entry)
      return arrivals.addresses.add(address, isLimited: isLimited, nanoseconds: now)
    }
    return Arrival(entry: new, verdict: verdict)
  }

  func depart(_ entry: AddressTable.Entry) {
    arrivals.locked { $0.addresses.remove(entry) }
    connectionCount.subtract(1, ordering: .relaxed)
  }

  /// Whether an address over its limits is given a handshake of TLS to be told so.
  func extendCourtesy(_ entry: AddressTable.Entry) -> Bool {
    let now = monotonicNanoseconds()
    return arrivals.locked { $0.addresses.extendCourtesy(entry, nanoseconds: now) }
  }

  func host(of entry: AddressTable.Entry) -> String { arrivals.locked { $0.addresses.address(of: entry) }.description }

  /// How long this address has to wait before it may try a key or token again, in milliseconds; 0: not at all.
  func authenticationWait(_ entry: AddressTable.Entry) -> Int {
    let now = monotonicNanoseconds()
    return arrivals.locked { $0.addresses.authenticationWait(entry, nanoseconds: now) }
  }

  func authenticationFailed(_ entry: AddressTable.Entry) {
    let now = monotonicNanoseconds()
    arrivals.locked { $0.addresses.authenticationFailed(entry, nanoseconds: now) }
  }

  /// Whether the entry is this client's.
  func isEntry(_ entry: AddressTable.Entry, of address: IPAddress) -> Bool {
    arrivals.locked { $0.addresses.address(of: entry) } == address.household
  }

  /// Whether one more request on a connection comes at a bearable rate.
  func mayAsk(_ entry: AddressTable.Entry) -> Bool {
    let now = monotonicNanoseconds()
    return arrivals.locked { $0.addresses.ask(entry, nanoseconds: now) == .welcome }
  }

  /// The same for somebody whose connection is a proxy's.
  func mayAsk(_ address: IPAddress) -> Bool {
    guard !trusts(address) else { return true }
    let now = monotonicNanoseconds()
    return arrivals.locked { $0.addresses.ask(address, nanoseconds: now) == .welcome }
  }

  /// Whether the node takes one more handshake now, by the rate of all its clients together.
  func mayConnect() -> Bool {
    guard configuration.limits.connectsPerSecond > 0 else { return true }
    let now = monotonicNanoseconds()
    return arrivals.locked { arrivals in
      arrivals.rate.map { arrivals.bucket.take(at: now, rate: $0) == .allowed } ?? true
    }
  }
}

extension IPAddress {
  /// Nobody in particular (`::`) for what is no address of the Internet.
  init(_ address: Address) {
    let bits = address.bits ?? (0, 0)
    self.init(high: bits.high, low: bits.low)
  }
}
