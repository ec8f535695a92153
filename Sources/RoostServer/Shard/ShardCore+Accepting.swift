import Buffers
import EventLoops
import RealtimeCore
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
    let arrival = context.arrive(from: address.host)
    if arrival.isOverAddressLimit, context.tls != nil {
      // To hear why, it would have to be given a handshake: a signature of ours for each try of a flood.
      refused(.addressLimit)
      return context.depart(arrival.entry)
    }
    var flags = port
    if arrival.isOverAddressLimit { flags.insert(.isOverAddressLimit) }
    if arrival.isOverNodeLimit { flags.insert(.isOverNodeLimit) }
    let deadline = now.monotonic + rules.handshake
    let descriptor = socket.descriptor
    guard let stream = stream(over: socket) else { return context.depart(arrival.entry) }
    let slot = connections.insert(
      Connection(stream, address: arrival.entry, flags: flags, second: second, deadline: deadline)
    ).slot
    outbox.open(slot)
    do { try loop.add(descriptor, token: id(slot).rawValue, interest: .read) } catch { return destroy(slot) }
    arm(slot, at: deadline)
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
