import Buffers
import EventLoops
import RealtimeCore
import Transport

extension ShardCore {
  /// Most connections taken in one turn, so that a flood of them does not hold up who is there.
  private static let acceptsPerTurn = 64
  /// How long to leave the listener alone when descriptors ran out, unless one is closed earlier; milliseconds.
  private static let exhaustionPause: Int64 = 100

  mutating func accept() {
    for _ in 0..<Self.acceptsPerTurn {
      switch listener?.accept() ?? .wouldBlock {
      case .socket(let socket, let from): admit(socket, from: from)
      case .wouldBlock: return
      case .exhausted: return pauseAccepting()
      }
    }
  }

  private mutating func admit(_ socket: consuming Socket, from address: Address) {
    counters.accepted &+= 1
    let arrival = context.arrive(from: address.host)
    var flags: Connection.Flags = []
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

  /// A listener with connections nobody can take is ready all the time: look away for a while.
  private mutating func pauseAccepting() {
    guard let descriptor = listener?.descriptor else { return }
    loop.modify(descriptor, token: Token.listener, interest: [])
    acceptsAgainAt = now.monotonic + Self.exhaustionPause
    timers.add(deadline: acceptsAgainAt, token: Token.timers)
  }

  mutating func resumeAccepting() {
    guard acceptsAgainAt != .max, let descriptor = listener?.descriptor else { return }
    acceptsAgainAt = .max
    loop.modify(descriptor, token: Token.listener, interest: .read)
  }
}
