public import EventLoops

/// A wire over a socket of one event loop. Its events come with `token`, over reconnects as well: a closed socket has
/// no events in a later wait, and one relay opens sockets only in its tick.
public final class SocketWire: RedisWire {
  private let loop: EventLoop
  private let token: UInt64
  private var socket: Socket?
  private var descriptor: CInt = -1

  public init(loop: EventLoop, token: UInt64) { (self.loop, self.token) = (loop, token) }

  public func connect(to address: Address) throws(SystemError) {
    let fresh = try Socket.connect(to: address)
    fresh.setUserTimeout(milliseconds: 5_000)
    try loop.add(fresh.descriptor, token: token, interest: [.read, .write])
    descriptor = fresh.descriptor
    socket = consume fresh
  }

  public func finishConnecting() throws(SystemError) {
    guard let code = socket?.takeError(), code != 0 else { return }
    throw SystemError(call: "connect", code: code)
  }

  public func receive(into buffer: inout MutableRawSpan) -> IOResult {
    guard socket != nil else { return .wouldBlock }
    return socket!.receive(into: &buffer)
  }

  public func send(_ bytes: borrowing RawSpan) -> IOResult {
    guard socket != nil else { return .wouldBlock }
    return socket!.send(bytes)
  }

  public func watch(writing: Bool) {
    guard socket != nil else { return }
    loop.modify(descriptor, token: token, interest: writing ? [.read, .write] : .read)
  }

  public func close() {
    socket?.resetOnClose()
    socket = nil  // unregisters it too
  }
}

extension RelaySurroundings {
  /// The machine's own.
  public static func machine(waking loop: EventLoop) -> RelaySurroundings {
    RelaySurroundings(
      secret: { Secret.hexadecimal(digits: $0) }, wallClock: { wallClockMilliseconds() }, wake: { loop.wake() })
  }
}
