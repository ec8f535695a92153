import CSystem
import EventLoops
import Glibc

/// The thread of a ``FaultProxy``: accepts, connects, and moves bytes between the two ends of each pair.
final class ProxyLoop {
  static let listenerToken: UInt64 = 0

  private let loop: EventLoop
  private let listener: Listener
  private let orders: Mailbox<FaultProxy.Order>
  private let isNarrow: Bool
  private var target: UInt16
  private var refuses = false
  private var standing = FaultProxy.Treatment()
  private var pairs: [UInt64: ProxyPair] = [:]
  private(set) var accepted = 0
  private var events = EventBuffer()
  private var inbox: [FaultProxy.Order] = []
  private var random: SeededGenerator
  private var scratch = [UInt8](repeating: 0, count: 65_536)

  init(
    loop: EventLoop, listener: consuming Listener, orders: Mailbox<FaultProxy.Order>, target: UInt16, seed: UInt64,
    isNarrow: Bool
  ) {
    (self.loop, self.orders, self.target, self.isNarrow) = (loop, orders, target, isNarrow)
    self.listener = listener
    random = SeededGenerator(seed: seed)
  }

  /// False when it is over.
  func turn() -> Bool {
    _ = loop.wait(into: &events, timeout: timeout)
    let now = monotonicMilliseconds()
    for index in 0..<events.count {
      let event = events[index]
      if event.token == Self.listenerToken {
        accept()
      } else if let pair = pairs[event.token >> 1] {
        handle(pair, isServer: event.token & 1 == 1, event, now)
      }
    }
    orders.take(into: &inbox)
    for order in inbox {
      if case .stop = order { return false }
      obey(order, now)
    }
    inbox.removeAll(keepingCapacity: true)
    for pair in pairs.values where pair.hasDue(now) { flush(pair, now) }
    return true
  }

  private var timeout: CInt {
    let due = pairs.values.compactMap(\.nextDue).min()
    guard let due else { return -1 }
    return CInt(clamping: max(0, due - monotonicMilliseconds()))
  }

  // MARK: Orders

  private func obey(_ order: FaultProxy.Order, _ now: Int64) {
    switch order {
    case .target(let port): target = port
    case .refuse(let refuses): self.refuses = refuses
    case .cut(let line): for pair in chosen(line) where !pair.isStranded { end(pair, byReset: true) }
    case .treat(let line, let treatment):
      if case .all = line { standing = treatment }
      for pair in chosen(line) {
        pair.treatment = treatment
        watch(pair)
      }
    case .strand(let line):
      for pair in chosen(line) {
        pair.isStranded = true
        watch(pair)
      }
    case .inject(let line, let bytes):
      for pair in chosen(line) {
        pair.toClient.append(bytes, due: now)
        flush(pair, now)
      }
    case .truncate(let line): for pair in chosen(line) { pair.isToBeTruncated = true }
    case .stop: break
    }
  }

  private func chosen(_ line: FaultProxy.Line) -> [ProxyPair] {
    pairs.values.filter { pair in
      switch line {
      case .all: true
      case .subscriber: pair.isSubscriber
      case .command: !pair.isSubscriber
      }
    }
  }

  // MARK: Connections

  private func accept() {
    while true {
      switch listener.accept() {
      case .wouldBlock: return
      case .exhausted: return
      case .socket(let client, from: _):
        accepted += 1
        if refuses {
          client.resetOnClose()
          continue
        }
        guard let server = connect() else { continue }
        let pair = ProxyPair(number: UInt64(accepted), client: client, server: server, standing)
        pairs[pair.number] = pair
        watch(pair)
      }
    }
  }

  /// `nil` when there is no descriptor left.
  private func connect() -> Socket? {
    guard let address = Address(host: "127.0.0.1", port: target) else { return nil }
    guard isNarrow else { return try? Socket.connect(to: address) }
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, kind, 0)
    guard descriptor >= 0 else { return nil }
    var (buffer, segment): (CInt, CInt) = (4_096, 536)
    let size = socklen_t(MemoryLayout<CInt>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer, size)
    unsafe setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_MAXSEG, &segment, size)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = target.bigEndian
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    _ = unsafe withUnsafePointer(to: &place) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return Socket(taking: descriptor)
  }

  private func handle(_ pair: ProxyPair, isServer: Bool, _ event: EventBuffer.Event, _ now: Int64) {
    if isServer, !pair.isConnected {
      guard pair.server.takeError() == 0 else { return end(pair, byReset: true) }
      pair.isConnected = true
    }
    if event.isReadable, !receive(pair, fromServer: isServer, now) { return end(pair, byReset: true) }
    flush(pair, now)
  }

  /// False when the connection broke.
  private func receive(_ pair: ProxyPair, fromServer: Bool, _ now: Int64) -> Bool {
    if pair.holds(fromServer: fromServer) { return true }
    let result = pair.receive(fromServer: fromServer, into: &scratch)
    switch result {
    case .wouldBlock: return true
    case .failed: return false
    case .endOfStream:
      if fromServer { pair.toClient.hasEnded = true } else { pair.toServer.hasEnded = true }
    case .done(let count):
      var bytes = Array(scratch[..<count])
      let wait = pair.treatment.delay.map { Int64.random(in: $0, using: &random) } ?? 0
      if fromServer {
        if pair.isToBeTruncated {
          bytes.removeLast((bytes.count + 1) / 2)
          pair.toClient.hasEnded = true
        }
        pair.toClient.append(bytes, due: now + wait)
      } else {
        pair.look(for: "SUBSCRIBE", in: bytes)
        pair.toServer.append(bytes, due: now + wait)
      }
    }
    return true
  }

  private func flush(_ pair: ProxyPair, _ now: Int64) {
    guard !pair.isStranded else { return }
    guard pair.flush(now) else { return end(pair, byReset: true) }
    if pair.toClient.isOver && (pair.toServer.isOver || pair.isToBeTruncated) { return end(pair, byReset: false) }
    watch(pair)
  }

  private func end(_ pair: ProxyPair, byReset: Bool) {
    if byReset {
      pair.client.resetOnClose()
      pair.server.resetOnClose()
    }
    pairs[pair.number] = nil
  }

  /// Listens for what can be used now. A side that nothing is wanted from is not even told of its end.
  private func watch(_ pair: ProxyPair) {
    let client = pair.interest(ofServer: false)
    let server = pair.interest(ofServer: true)
    pair.clientInterest = change(pair.client.descriptor, pair.number << 1, pair.clientInterest, to: client)
    pair.serverInterest = change(pair.server.descriptor, pair.number << 1 | 1, pair.serverInterest, to: server)
  }

  private func change(
    _ descriptor: CInt, _ token: UInt64, _ old: EventLoop.Interest, to new: EventLoop.Interest
  ) -> EventLoop.Interest {
    if old == new { return new }
    if new.isEmpty {
      loop.remove(descriptor)
    } else if old.isEmpty {
      guard (try? loop.add(descriptor, token: token, interest: new)) != nil else { return [] }
    } else {
      loop.modify(descriptor, token: token, interest: new)
    }
    return new
  }
}
