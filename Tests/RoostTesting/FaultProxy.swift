public import EventLoops
import Synchronization

/// Stands between two peers that speak TCP and does to their connections what networks do.
///
/// It listens on a port of its own and passes every connection on to its target. It runs on a thread of its own; what
/// it is told takes effect in order, soon after the call.
public final class FaultProxy: Sendable {
  /// Which connections something is done to.
  public enum Line: Sendable {
    case all
    /// Those on which the client has sent SUBSCRIBE, and the others.
    case subscriber, command
  }

  /// How bytes are passed on.
  public struct Treatment: Sendable, Equatable {
    /// Each piece waits so many milliseconds, by chance, in its order.
    public var delay: ClosedRange<Int64>?
    /// Each byte leaves by a call of its own.
    public var isByteByByte = false
    /// What one side sends is not taken, as if the packets were lost; it flows again when this ends.
    public var holdsToServer = false
    public var holdsToClient = false

    public init(
      delay: ClosedRange<Int64>? = nil, isByteByByte: Bool = false, holdsToServer: Bool = false,
      holdsToClient: Bool = false
    ) {
      (self.delay, self.isByteByByte) = (delay, isByteByByte)
      (self.holdsToServer, self.holdsToClient) = (holdsToServer, holdsToClient)
    }
  }

  public enum Order: Sendable {
    /// New connections go to this port of 127.0.0.1; those there are stay.
    case target(UInt16)
    /// New connections are reset.
    case refuse(Bool)
    /// Both ends get a reset.
    case cut(Line)
    /// For the connections there are, and with `.all` for those to come.
    case treat(Line, Treatment)
    /// Nothing passes any more, neither bytes nor ends, whatever else is ordered later; new connections are well.
    case strand(Line)
    /// Bytes that the server never said, between two pieces of what it says.
    case inject(Line, [UInt8])
    /// Of the next piece towards the client only the first half arrives; then the connection ends.
    case truncate(Line)
    case stop
  }

  public let port: UInt16
  private let orders: Mailbox<Order>
  private let accepted = Atomic<Int>(0)

  /// - Parameter isNarrow: the server's kernel keeps little for the proxy (small segments, a small window), so that a
  ///   server whose words are not taken notices soon. On a loopback it would keep more than a megabyte.
  public init(target: UInt16, seed: UInt64, isNarrow: Bool = false) throws {
    guard let any = Address(host: "127.0.0.1", port: 0) else { throw SystemError(call: "no address", code: 0) }
    let listener = try Listener(any, sharesPort: false)
    let loop = try EventLoop()
    port = listener.port
    orders = Mailbox(wakes: loop)
    try loop.add(listener.descriptor, token: ProxyLoop.listenerToken, interest: .read)
    let box = Mutex<Listener?>(consume listener)
    onNewThread(name: "fault-proxy") { [orders, weak self] in
      loop.adopt()
      guard let listener = box.withLock({ $0.take() }) else { return }
      let proxy = ProxyLoop(
        loop: loop, listener: listener, orders: orders, target: target, seed: seed, isNarrow: isNarrow)
      while proxy.turn() { self?.accepted.store(proxy.accepted, ordering: .relaxed) }
    }
  }

  deinit { orders.post(.stop) }

  public func order(_ order: Order) { orders.post(order) }

  /// How many connections came so far.
  public var connections: Int { accepted.load(ordering: .relaxed) }

  public var address: Address { Address(host: "127.0.0.1", port: port)! }
}
