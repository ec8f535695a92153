import Buffers
import EventLoops
import HTTPCore
import RealtimeCore
import Synchronization
import Transport

extension ShardCore {
  /// Most connections taken in one turn, so that a flood of them does not hold up who is there.
  private static let acceptsPerTurn = 64
  /// How long to leave the listener alone when descriptors ran out, unless one is closed earlier; milliseconds.
  private static let exhaustionPause: Int64 = 100

  mutating func accept(isAdministrative: Bool) {
    for _ in 0..<Self.acceptsPerTurn {
      switch next(isAdministrative: isAdministrative) {
      case .socket(let socket, let from): admit(socket, from: from, isAdministrative ? .isAdministrative : [])
      case .wouldBlock: return
      case .exhausted: return pauseAccepting()
      }
    }
  }

  private mutating func next(isAdministrative: Bool) -> Listener.Accepted {
    if isAdministrative { return adminListener?.accept() ?? .wouldBlock }
    return listener?.accept() ?? .wouldBlock
  }

  private mutating func admit(_ socket: consuming Socket, from address: Address, _ port: Connection.Flags) {
    counters.accepted &+= 1
    let peer = IPAddress(address)
    let (arrival, isOverNodeLimit) = context.arrive(from: peer)
    guard isTold(arrival), mayShakeHands(peer, port) else {
      context.depart(arrival.entry)
      socket.resetOnClose()
      return
    }
    var flags = port.union(.isUnfinished)
    if arrival.verdict == .refused { flags.insert(.isOverAddressLimit) }
    if isOverNodeLimit { flags.insert(.isOverNodeLimit) }
    if context.trusts(peer) {
      let isFirstTold = context.configuration.expectsProxyHeader && !port.contains(.isAdministrative)
      flags.insert(isFirstTold ? .awaitsProxyHeader : .isFromProxy)
    }
    let deadline = now.monotonic + rules.handshake
    let descriptor = socket.descriptor
    guard let stream = stream(over: socket) else { return context.depart(arrival.entry) }
    makeRoomForNewcomer()
    let slot = connections.insert(
      Connection(stream, address: arrival.entry, flags: flags, second: second, deadline: deadline)
    ).slot
    newcomers.append(id(slot))
    outbox.open(slot)
    do { try loop.add(descriptor, token: id(slot).rawValue, interest: .read) } catch { return destroy(slot) }
    arm(slot, at: deadline)
  }

  /// Whether a connection is let in, if only to be told why it is of no use; counts it otherwise.
  func isTold(_ arrival: Arrival) -> Bool {
    switch arrival.verdict {
    case .welcome: return true
    case .dropped:
      refused(.flood)
      return false
    case .refused:
      // To hear why through TLS it has to be given a handshake, which a flood would get for each of its tries.
      let isTold = context.tls == nil || context.extendCourtesy(arrival.entry)
      if !isTold { refused(.addressLimit) }
      return isTold
    }
  }

  /// With TLS the rate of all handshakes is asked before the node signs anything. What a proxy brings is counted when
  /// it asks for something.
  private func mayShakeHands(_ peer: IPAddress, _ port: Connection.Flags) -> Bool {
    guard context.tls != nil, !port.contains(.isAdministrative), !context.trusts(peer) else { return true }
    guard !context.mayConnect() else { return true }
    refused(.nodeRate)
    return false
  }

  /// Counts one more connection without a complete request. When there are too many, the one that takes longest goes:
  /// honest clients are done within a round trip or two, so it is the slow who make room.
  private mutating func makeRoomForNewcomer() {
    while let oldest = newcomers.first, !isUnfinished(oldest) { newcomers.removeFirst() }
    let count = context.unfinishedCount.add(1, ordering: .relaxed).newValue
    guard count > context.handshakeLimit, let oldest = newcomers.first else { return }
    refused(.crowdedOut)
    newcomers.removeFirst()
    connections[oldest.slot].socket.resetOnClose()
    destroy(oldest.slot)
  }

  private func isUnfinished(_ id: ConnectionID) -> Bool {
    connections.contains(id.key) && connections[id.slot].flags.contains(.isUnfinished)
  }

  /// The first request is complete, or will never be.
  mutating func finish(_ slot: UInt32) {
    guard connections[slot].flags.contains(.isUnfinished) else { return }
    connections[slot].flags.remove(.isUnfinished)
    context.unfinishedCount.subtract(1, ordering: .relaxed)
  }

  private func stream(over socket: consuming Socket) -> ByteStream? {
    guard let tls = context.tls else { return ByteStream(socket) }
    return tls.accept(socket)
  }

  /// Listeners with connections nobody can take are ready all the time: look away for a while.
  private mutating func pauseAccepting() {
    watchListeners([])
    acceptsAgainAt = now.monotonic + Self.exhaustionPause
    timers.add(deadline: acceptsAgainAt, token: Token.timers)
  }

  mutating func resumeAccepting() {
    guard acceptsAgainAt != .max else { return }
    acceptsAgainAt = .max
    watchListeners(.read)
  }

  private mutating func watchListeners(_ interest: EventLoop.Interest) {
    if let descriptor = listener?.descriptor { loop.modify(descriptor, token: Token.listener, interest: interest) }
    if let descriptor = adminListener?.descriptor {
      loop.modify(descriptor, token: Token.adminListener, interest: interest)
    }
  }
}
