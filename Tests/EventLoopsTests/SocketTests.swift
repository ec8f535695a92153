import EventLoops
import Glibc
import Testing

@Suite("Sockets and listeners", .timeLimit(.minutes(30)))
struct SocketTests {
  /// Both ends of a connection over loopback.
  private func withPair(_ body: (borrowing Socket, borrowing Socket, EventLoop) throws -> Void) throws {
    let listener = try Listener(#require(Address(host: "127.0.0.1", port: 0)))
    let client = try Socket.connect(to: #require(Address(host: "127.0.0.1", port: listener.port)))
    let loop = try EventLoop()
    try loop.add(listener.descriptor, token: 1, interest: .read)
    var events = EventBuffer(capacity: 4)
    _ = loop.wait(into: &events, timeout: 120_000)
    #expect(events.count == 1 && events[0].token == 1 && events[0].isReadable)
    guard case .socket(let server, let from) = listener.accept() else {
      Issue.record("nobody came")
      return
    }
    #expect(from.host == "127.0.0.1")
    try body(client, server, loop)
  }

  private func receive(_ socket: borrowing Socket, _ memory: inout [UInt8]) -> IOResult {
    var elements = memory.mutableSpan
    var span = unsafe elements.mutableBytes
    return socket.receive(into: &span)
  }

  @Test func `bytes arrive, and the end of the stream after them`() throws {
    try withPair { client, server, loop in
      var memory = [UInt8](repeating: 0, count: 16)
      #expect(receive(server, &memory) == .wouldBlock)
      let sent: [UInt8] = [1, 2, 3]
      #expect(unsafe client.send(sent.span.bytes) == .done(3))
      client.shutdownSending()
      try loop.add(server.descriptor, token: 7, interest: .read)
      var events = EventBuffer(capacity: 4)
      _ = loop.wait(into: &events, timeout: 120_000)
      #expect(events[0].token == 7)
      #expect(receive(server, &memory) == .done(3))
      #expect(Array(memory.prefix(3)) == sent)
      #expect(receive(server, &memory) == .endOfStream)
    }
  }

  @Test func `a full socket says so and becomes writable when the peer reads`() throws {
    try withPair { client, server, loop in
      let chunk = [UInt8](repeating: 7, count: 1 << 16)
      var total = 0
      while case .done(let count) = unsafe client.send(chunk.span.bytes) { total += count }
      try loop.add(client.descriptor, token: 2, interest: .write)
      var memory = chunk
      var received = 0
      var events = EventBuffer(capacity: 4)
      // The kernel may still be carrying some of it when the first look finds nothing more.
      for _ in 0..<1_200 where events.count == 0 {
        while case .done(let count) = receive(server, &memory) { received += count }
        _ = loop.wait(into: &events, timeout: 100)
      }
      #expect(events.count == 1 && events[0].isWritable)
      loop.modify(client.descriptor, token: 2, interest: .read)
      #expect(!loop.wait(into: &events, timeout: 0) && events.count == 0)
      #expect(received > 0 && received <= total)
    }
  }

  @Test func `a reset is a failure, not an end`() throws {
    try withPair { client, server, loop in
      try loop.add(client.descriptor, token: 3, interest: .read)
      reset(server)
      var events = EventBuffer(capacity: 4)
      _ = loop.wait(into: &events, timeout: 120_000)
      #expect(events.count == 1 && events[0].isHangUp && events[0].isReadable)
      var memory = [UInt8](repeating: 0, count: 16)
      #expect(receive(client, &memory) == .failed(ECONNRESET))
    }
  }

  /// Breaks the connection without taking the socket from its owner.
  private func reset(_ socket: borrowing Socket) {
    let twin = Socket(taking: dup(socket.descriptor))
    twin.resetOnClose()
    // A TCP disconnect: resets the connection whoever else holds the socket.
    var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    unsafe connect(twin.descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
  }

  @Test func `a refused connection is told by takeError`() throws {
    let loop = try EventLoop()
    // Nobody listens there, and the kernel gives that port to nobody.
    let socket = try Socket.connect(to: #require(Address(host: "127.0.0.1", port: 1)))
    try loop.add(socket.descriptor, token: 1, interest: .write)
    var events = EventBuffer(capacity: 4)
    _ = loop.wait(into: &events, timeout: 120_000)
    #expect(socket.takeError() == ECONNREFUSED)
  }

  @Test func `several listeners share a port, others do not get it`() throws {
    let first = try Listener(#require(Address(host: "127.0.0.1", port: 0)))
    let second = try Listener(#require(Address(host: "127.0.0.1", port: first.port)))
    #expect(second.port == first.port)
    #expect(throws: SystemError.self) {
      _ = try Listener(#require(Address(host: "127.0.0.1", port: first.port)), sharesPort: false).port
    }
  }

  @Test(arguments: [
    ("127.0.0.1", UInt16(80), "127.0.0.1:80"), ("::1", 443, "[::1]:443"), ("::ffff:10.0.0.1", 1, "[10.0.0.1]:1"),
  ])
  func `addresses read and show`(host: String, port: UInt16, shown: String) throws {
    let address = try #require(Address(host: host, port: port))
    #expect(address.description == shown && address.port == port)
  }

  @Test func `names and nonsense are no addresses`() {
    for host in ["localhost", "", "1.2.3", "1.2.3.4.5", ":::"] { #expect(Address(host: host, port: 1) == nil) }
    #expect(Address(unixPath: "") == nil)
    #expect(Address(unixPath: String(repeating: "a", count: 108)) == nil)
    #expect(Address(unixPath: "/tmp/x")?.host == "unix")
    #expect(Address.resolve(host: "localhost", port: 5).contains { $0.host == "127.0.0.1" || $0.host == "::1" })
  }
}
