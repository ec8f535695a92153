import Buffers
import EventLoops
import Transport
import WebSocketCore

/// Turns the loop of a swarm: connects, shakes hands, reads frames, and asks the driver what to make of them.
struct SwarmCore<Driver: SwarmDriver & ~Copyable>: ~Copyable {
  var driver: Driver
  var wire: Wire
  /// Taken out while it is read, so that acting on its content may use everything else.
  private var input: ReceiveBuffer? = ReceiveBuffer()
  private var events = EventBuffer()
  private let limits = MessageReader.Limits(messageBytes: 64 << 20, fragments: 65_534, checksText: false)

  init(_ driver: consuming Driver, loop: EventLoop, seed: UInt64) {
    self.driver = driver
    wire = Wire(loop: loop, seed: seed)
  }

  /// Lets the driver act, waits, and handles what came. True when somebody woke the loop.
  mutating func turn() -> Bool {
    wire.now = monotonicNanoseconds()
    driver.turn(&wire)
    wire.flush()
    let isWoken = wire.loop.wait(into: &events, timeout: timeout)
    wire.now = monotonicNanoseconds()
    for index in 0..<events.count { handle(events[index]) }
    return isWoken
  }

  private var timeout: CInt {
    guard let deadline = driver.deadline else { return -1 }
    return CInt(clamping: max(0, deadline - monotonicMilliseconds()))
  }

  private mutating func handle(_ event: EventBuffer.Event) {
    let key = Slab<Client>.Key(token: event.token)
    // It may have ended since the kernel wrote the event.
    guard wire.clients.contains(key) else { return }
    if wire.clients[key.slot].phase == .connecting {
      let error = wire.clients[key.slot].socket.takeError()
      guard error == 0 else { return end(key.slot, .failed(error)) }
      wire.clients[key.slot].phase = .handshaking
    }
    if event.isWritable { wire.flush(key) }
    if event.isReadable { receive(key) }
    guard wire.clients.contains(key), wire.clients[key.slot].socket.isSecure else { return }
    while wire.clients.contains(key), wire.clients[key.slot].socket.holdsMore { receive(key) }
    if wire.clients.contains(key) { wire.flush(key) }
  }

  private mutating func receive(_ key: Slab<Client>.Key) {
    guard var input = input.take() else { return }
    var kept = ByteBuffer()
    swap(&kept, &wire.clients[key.slot].leftover)
    wire.now = monotonicNanoseconds()
    var ending: Ending?
    switch input.receive(after: kept.bytes, from: wire.clients[key.slot].socket) {
    case .wouldBlock: wire.clients[key.slot].leftover = kept
    case .endOfStream, .failed: ending = .lost
    case .done(let count):
      wire.receivedBytes &+= count
      ending = input.withContent { read(&$0, key) }
    }
    self.input = consume input
    if let ending, wire.clients.contains(key) { end(key.slot, ending) }
  }

  private mutating func end(_ client: UInt32, _ ending: Ending) {
    let tag = wire.clients[client].tag
    _ = wire.clients.remove(client)
    driver.ended(client, tag: tag, ending, &wire)
  }

  /// Reads all that is complete and keeps the rest; what it says when the connection is over.
  private mutating func read(_ content: inout MutableRawSpan, _ key: Slab<Client>.Key) -> Ending? {
    var offset = 0
    if wire.clients[key.slot].phase == .handshaking {
      do throws(ClientHandshake.Failure) {
        guard let answer = try wire.clients[key.slot].handshake?.response(in: content.bytes) else {
          wire.clients[key.slot].leftover.append(content.bytes)
          return nil
        }
        offset = answer.byteCount
      } catch {
        if case .refused(let status) = error { return .refused(status: status) }
        return .refused(status: 0)
      }
      wire.clients[key.slot].handshake = nil
      wire.clients[key.slot].phase = .open
      driver.opened(key.slot, tag: wire.clients[key.slot].tag, &wire)
    }
    do throws(ProtocolViolation) {
      while wire.clients.contains(key) {
        guard let event = try wire.clients[key.slot].reader.next(in: &content, at: &offset, limits: limits) else {
          wire.clients[key.slot].leftover.append(content.bytes.extracting(offset..<content.byteCount))
          return nil
        }
        if let ending = handle(event, content.bytes, key.slot) { return ending }
      }
      return nil
    } catch {
      return .violation("\(error)")
    }
  }

  private mutating func handle(
    _ event: MessageReader.Event, _ content: borrowing RawSpan, _ client: UInt32
  ) -> Ending? {
    switch event {
    case .message(_, let range):
      driver.received(content.extracting(range), by: client, tag: wire.clients[client].tag, &wire)
    case .assembled:
      let message = wire.clients[client].reader.takeAssembled()
      driver.received(message.bytes, by: client, tag: wire.clients[client].tag, &wire)
    case .ping(let payload): wire.answerPing(content.extracting(payload), from: client)
    // Compressed messages are refused as long as nobody offers to take them.
    case .pong, .compressed, .assembledCompressed: break
    case .close(let code, _):
      // The answer goes out at once, for the client is forgotten with this turn.
      wire.close(client, code: code ?? .normal)
      wire.flush(wire.clients.key(of: client))
      return .closed(code: (code ?? .noStatus).rawValue)
    }
    return nil
  }
}
