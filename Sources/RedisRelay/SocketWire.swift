public import EventLoops
import Glibc
public import Transport

/// A wire over a socket of one event loop. Its events come with `token`, over reconnects as well: a closed socket has
/// no events in a later wait, and one relay opens sockets only in its tick.
public final class SocketWire: RedisWire {
  private let loop: EventLoop
  private let token: UInt64
  private let secure: (client: TLSClient, host: String)?
  private var stream: ByteStream?
  private var descriptor: CInt = -1
  private var watchesWriting = false

  /// - Parameter secure: TLS, and the name or address that the server's certificate must be for.
  public init(loop: EventLoop, token: UInt64, secure: (client: TLSClient, host: String)? = nil) {
    (self.loop, self.token, self.secure) = (loop, token, secure)
  }

  public func connect(to address: Address) throws(SystemError) {
    let fresh = try open(address)
    fresh.setUserTimeout(milliseconds: 5_000)
    try loop.add(fresh.descriptor, token: token, interest: [.read, .write])
    (descriptor, watchesWriting) = (fresh.descriptor, true)
    stream = consume fresh
  }

  private func open(_ address: Address) throws(SystemError) -> ByteStream {
    let socket = try Socket.connect(to: address)
    guard let secure else { return ByteStream(socket) }
    guard let stream = secure.client.connect(socket, to: secure.host) else {
      throw SystemError(call: "TLS", code: ENOMEM)
    }
    return stream
  }

  public func finishConnecting() throws(SystemError) -> Bool {
    guard stream != nil else { return false }
    let code = stream!.takeError()
    guard code == 0 else { throw SystemError(call: "connect", code: code) }
    switch stream!.handshake() {
    case .done:
      setInterest()
      return true
    case .wouldBlock:
      // Room to send is always there, and would be told again and again while the server thinks.
      loop.modify(descriptor, token: token, interest: stream!.noteNeeds() ? [.read, .write] : .read)
      return false
    case .endOfStream: throw SystemError(call: "TLS handshake", code: ECONNRESET)
    case .failed(let code): throw SystemError(call: "TLS handshake", code: code)
    }
  }

  public func receive(into buffer: inout MutableRawSpan) -> IOResult {
    guard stream != nil else { return .wouldBlock }
    let result = stream!.receive(into: &buffer)
    if hasChangedNeeds { setInterest() }
    return result
  }

  public func send(_ bytes: borrowing RawSpan) -> IOResult {
    guard stream != nil else { return .wouldBlock }
    return stream!.send(bytes)
  }

  public func watch(writing: Bool) {
    watchesWriting = writing
    setInterest()
  }

  private func setInterest() {
    guard stream != nil else { return }
    let writes = stream!.noteNeeds() || watchesWriting
    loop.modify(descriptor, token: token, interest: writes ? [.read, .write] : .read)
  }

  private var hasChangedNeeds: Bool {
    switch stream {
    case .some(let stream): stream.hasChangedNeeds
    case .none: false
    }
  }

  public var holdsMore: Bool {
    switch stream {
    case .some(let stream): stream.holdsMore
    case .none: false
    }
  }

  public var failure: String? {
    switch stream {
    case .some(let stream): stream.failure
    case .none: nil
    }
  }

  public func close() {
    stream?.resetOnClose()
    stream = nil  // unregisters it too
  }
}

extension RelaySurroundings {
  /// The machine's own.
  public static func machine(waking loop: EventLoop) -> RelaySurroundings {
    RelaySurroundings(
      secret: { Secret.hexadecimal(digits: $0) }, wallClock: { wallClockMilliseconds() },
      nanoseconds: { monotonicNanoseconds() }, wake: { loop.wake() })
  }
}
