import CSystem
import EventLoops
import Glibc
import RoostTesting
import Testing
import Transport

enum Way: CaseIterable { case plain, tls }

/// An authority, and a certificate of it for this machine.
struct Certificates {
  let made: TestCertificates
  let identity: TLSIdentity
  let server: TLSServer
  let client: TLSClient

  init() throws {
    made = try TestCertificates()
    identity = try made.make("server")
    server = try TLSServer(identity)
    client = try TLSClient(.file(made.authority))
  }

  static let shared = Result { try Certificates() }
}

/// Both ends of a connection over loopback, moved on by one thread.
struct StreamPair: ~Copyable {
  struct Silence: Error {}

  var client: ByteStream
  var server: ByteStream
  private let loop: EventLoop
  private var events = EventBuffer(capacity: 4)

  /// - Parameter buffers: bytes the kernel may hold for either end.
  init(_ way: Way, buffers: CInt? = nil) throws {
    let certificates = try Certificates.shared.get()
    try self.init(server: way == .tls ? certificates.server : nil, buffers: buffers) { socket in
      way == .tls ? certificates.client.connect(socket, to: "127.0.0.1") : ByteStream(socket)
    }
  }

  init(
    server tls: TLSServer?, buffers: CInt? = nil, _ connect: (consuming Socket) -> ByteStream?
  ) throws {
    let loop = try EventLoop()
    let ends = try buffers.map(Self.narrowPair) ?? Self.connectedPair(loop)
    let client = try Self.made(connect(Socket(taking: ends.0)))
    let server = try Self.made(Self.stream(over: Socket(taking: ends.1), tls))
    try loop.add(client.descriptor, token: 1, interest: .read)
    try loop.add(server.descriptor, token: 2, interest: .read)
    self.init(client, server, loop)
  }

  /// Over loopback.
  private static func connectedPair(_ loop: EventLoop) throws -> (CInt, CInt) {
    let listener = try Listener(try #require(Address(host: "127.0.0.1", port: 0)))
    let socket = try Socket.connect(to: try #require(Address(host: "127.0.0.1", port: listener.port)))
    var events = EventBuffer(capacity: 4)
    try loop.add(listener.descriptor, token: 9, interest: .read)
    _ = loop.wait(into: &events, timeout: 120_000)
    loop.remove(listener.descriptor)
    guard case .socket(let accepted, _) = listener.accept() else { throw Silence() }
    return (fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 0), fcntl(accepted.descriptor, F_DUPFD_CLOEXEC, 0))
  }

  /// Over a socket of this machine that holds few bytes. TCP with such buffers waits for its timers.
  private static func narrowPair(_ bytes: CInt) throws -> (CInt, CInt) {
    var ends: [CInt] = [-1, -1]
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Silence() }
    for end in ends {
      var size = bytes
      unsafe setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }
    return (ends[0], ends[1])
  }

  private init(_ client: consuming ByteStream, _ server: consuming ByteStream, _ loop: EventLoop) {
    self.client = client
    self.server = server
    self.loop = loop
  }

  private static func made(_ stream: consuming ByteStream?) throws -> ByteStream {
    guard let stream else { throw Silence() }
    return stream
  }

  private static func stream(over socket: consuming Socket, _ tls: TLSServer?) -> ByteStream? {
    guard let tls else { return ByteStream(socket) }
    return tls.accept(socket)
  }

  /// Waits until an end may go on, and lets TLS send what it has.
  /// - Parameter sending: the ends that wait for room on their own account.
  mutating func wait(sending: (client: Bool, server: Bool) = (false, false)) throws {
    let clientWaits = client.noteNeeds() || sending.client
    let serverWaits = server.noteNeeds() || sending.server
    loop.modify(client.descriptor, token: 1, interest: clientWaits ? [.read, .write] : .read)
    loop.modify(server.descriptor, token: 2, interest: serverWaits ? [.read, .write] : .read)
    _ = loop.wait(into: &events, timeout: 120_000)
    guard events.count > 0 else { throw Silence() }
    client.flush()
    server.flush()
  }

  /// Moves the handshake on until it is over; what each end says about it.
  mutating func shakeHands() throws -> (client: IOResult, server: IOResult) {
    while true {
      let results = (client: client.handshake(), server: server.handshake())
      let isOver = results.client != .wouldBlock && results.server != .wouldBlock
      let hasFailed = Self.hasFailed(results.client) || Self.hasFailed(results.server)
      guard !isOver && !hasFailed else { return results }
      try wait()
    }
  }

  private static func hasFailed(_ result: IOResult) -> Bool {
    switch result {
    case .failed, .endOfStream: true
    case .done, .wouldBlock: false
    }
  }
}

extension ByteStream {
  /// What comes next, at most `limit` bytes of it; `nil`: nothing yet.
  borrowing func next(_ limit: Int = 65_536) -> (result: IOResult, bytes: [UInt8]) {
    var memory = [UInt8](repeating: 0, count: limit)
    var elements = memory.mutableSpan
    var span = unsafe elements.mutableBytes
    let result = receive(into: &span)
    guard case .done(let count) = result else { return (result, []) }
    return (result, Array(memory[..<count]))
  }

  borrowing func send(_ bytes: ArraySlice<UInt8>) -> IOResult { unsafe send(Array(bytes).span.bytes) }
}
