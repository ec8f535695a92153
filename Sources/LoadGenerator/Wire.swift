import Buffers
import EventLoops
import Transport
import WebSocketCore

/// What a driver may do with the clients of its swarm.
struct Wire: ~Copyable {
  let loop: EventLoop
  var clients = Slab<Client>()
  /// Nanoseconds of the monotonic clock: when what is being handled arrived.
  var now = monotonicNanoseconds()
  var receivedBytes = 0
  private var dirty: [Slab<Client>.Key] = []
  private var random: UInt64

  init(loop: EventLoop, seed: UInt64) { (self.loop, random) = (loop, seed | 1) }

  var milliseconds: Int64 { now / 1_000_000 }

  /// Starts to connect. The driver hears `opened` or `ended` later; an error here ends it at once and silently.
  mutating func open(_ endpoint: Endpoint, tag: Int) throws(SystemError) {
    let handshake = ClientHandshake(key: HandshakeKey(random: nextRandom(), nextRandom()))
    var client = Client(try endpoint.connect(), tag: tag, handshake: handshake)
    let headers = endpoint.token.map { [(name: "Authorization", value: "Bearer \($0)")] } ?? []
    handshake.appendRequest(host: endpoint.host, target: endpoint.target, headers: headers, to: &client.outgoing)
    let descriptor = client.socket.descriptor
    let key = clients.insert(client)
    do {
      try loop.add(descriptor, token: key.token, interest: [.read, .write])
    } catch {
      _ = clients.remove(key.slot)
      throw error
    }
  }

  /// Says `text`; it leaves at the end of the turn together with what else is said.
  mutating func send(_ text: borrowing RawSpan, from client: UInt32) {
    guard clients[client].phase == .open else { return }
    let key = nextMask()
    FrameWriter.append(.text, text, key: key, to: &clients[client].outgoing)
    touch(client)
  }

  mutating func answerPing(_ payload: borrowing RawSpan, from client: UInt32) {
    let key = nextMask()
    FrameWriter.append(.pong, payload, key: key, to: &clients[client].outgoing)
    touch(client)
  }

  /// Starts the closing handshake; `ended` follows when the server has answered.
  mutating func close(_ client: UInt32, code: CloseCode) {
    guard clients[client].phase == .open else { return }
    let key = nextMask()
    FrameWriter.appendClose(code, key: key, to: &clients[client].outgoing)
    clients[client].phase = .closing
    touch(client)
  }

  /// Ends the connection without a word: unsent bytes are lost and the server sees a reset. No `ended` follows.
  mutating func drop(_ client: UInt32) {
    clients[client].socket.resetOnClose()
    _ = clients.remove(client)
  }

  /// Gives the kernel what was said in this turn.
  mutating func flush() {
    for key in dirty where clients.contains(key) { flush(key) }
    dirty.removeAll(keepingCapacity: true)
  }

  mutating func flush(_ key: Slab<Client>.Key) {
    clients[key.slot].isDirty = false
    sending: while !clients[key.slot].outgoing.isEmpty {
      switch clients[key.slot].socket.send(clients[key.slot].outgoing.bytes) {
      case .done(let count): clients[key.slot].outgoing.removeFirst(count)
      case .wouldBlock: break sending
      case .endOfStream, .failed:
        // Reading will tell what became of the connection.
        clients[key.slot].outgoing.release()
      }
    }
    // A handshake of TLS that waits for the server is moved on by reading.
    let isHeld = !clients[key.slot].socket.isEstablished
    let needsWritable = clients[key.slot].socket.noteNeeds()
    let waits = needsWritable || !clients[key.slot].outgoing.isEmpty && !isHeld
    guard waits != clients[key.slot].waitsForWriting else { return }
    clients[key.slot].waitsForWriting = waits
    loop.modify(clients[key.slot].socket.descriptor, token: key.token, interest: waits ? [.read, .write] : .read)
  }

  private mutating func touch(_ client: UInt32) {
    guard !clients[client].isDirty else { return }
    clients[client].isDirty = true
    dirty.append(clients.key(of: client))
  }

  private mutating func nextMask() -> UInt32 { UInt32(truncatingIfNeeded: nextRandom() >> 32) }

  /// xorshift64*: servers must not guess masks of real clients, but these are ours.
  private mutating func nextRandom() -> UInt64 {
    random ^= random >> 12
    random ^= random << 25
    random ^= random >> 27
    return random &* 0x2545_F491_4F6C_DD1D
  }
}

extension Slab<Client>.Key {
  var token: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
  init(token: UInt64) {
    self.init(slot: UInt32(truncatingIfNeeded: token), generation: UInt32(truncatingIfNeeded: token >> 32))
  }
}
