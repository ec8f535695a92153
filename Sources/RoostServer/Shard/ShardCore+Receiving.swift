import Buffers
import EventLoops
import RealtimeCore
import Transport
import WebSocketCore

extension ShardCore {
  /// Receives once and acts on what came. More is left to the next turn, so that nobody is served alone.
  mutating func receive(_ slot: UInt32, _ event: EventBuffer.Event) {
    guard connections[slot].isRead, !connections[slot].flags.contains(.awaitsProxyHeader) else {
      if connections[slot].flags.contains(.awaitsProxyHeader) { return receiveProxyHeader(slot) }
      // Only errors and hang-ups are told about those who are not read.
      if event.isHangUp { lose(slot) }
      return
    }
    receive(slot)
  }

  mutating func receive(_ slot: UInt32) {
    let key = connections.key(of: slot)
    let isSecure = connections[slot].socket.isSecure
    guard var buffer = input.take() else { preconditionFailure("received while receiving") }
    buffer.start(with: connections[slot].leftover.bytes)
    var space = buffer.space
    let result = connections[slot].socket.receive(into: &space)
    switch result {
    case .done(let count):
      buffer.fill(count)
      counters.bytesReceived &+= count
      connections[slot].heartbeat.heard(now: second)
      connections[slot].leftover.release()
      charge(slot, count)
      consumeInput(slot, &buffer)
    case .endOfStream: connections[slot].socket.isEstablished ? endOfInput(slot) : refuseTLS(slot)
    case .wouldBlock: break
    case .failed: connections[slot].socket.isEstablished ? lose(slot) : refuseTLS(slot)
    }
    input = consume buffer
    if isSecure, connections.contains(key) { followTLS(slot) }
  }

  /// Goes on with what was kept while the connection waited for the hub.
  mutating func resume(_ slot: UInt32) {
    guard !connections[slot].leftover.isEmpty, var buffer = input.take() else { return }
    buffer.start(with: connections[slot].leftover.bytes)
    connections[slot].leftover.release()
    consumeInput(slot, &buffer)
    input = consume buffer
  }

  /// Requests answered of one piece of input: more could make megabytes of answers out of a few kilobytes.
  private static let requestsAtOnce = 32

  /// Reads as far as the phase allows, through changes of phase, and keeps the rest.
  private mutating func consumeInput(_ slot: UInt32, _ buffer: inout ReceiveBuffer) {
    let key = connections.key(of: slot)
    var input = buffer.content
    var offset = 0
    var goesOn = true
    var requests = 0
    while goesOn && offset < input.byteCount {
      switch connections[slot].phase {
      case .request:
        requests += 1
        goesOn = readRequest(slot, input.bytes, at: &offset, isLast: requests == Self.requestsAtOnce)
      case .body: goesOn = readBody(slot, input.bytes, at: &offset)
      case .open: goesOn = readFrames(slot, &input, at: &offset)
      case .waiting: goesOn = false
      case .lingering: offset = input.byteCount
      }
      guard connections.contains(key) else { return }
    }
    guard offset < input.byteCount else { return }
    connections[slot].leftover.append(input.bytes.extracting(offset..<input.byteCount))
    // Who sends on before being answered is not read further: TCP tells him to wait.
    let isWaiting = connections[slot].phase == .waiting
    if isWaiting && connections[slot].leftover.count > rules.earlyBytes { setReading(slot, false) }
  }

  /// False when more bytes are needed, or none are wanted.
  private mutating func readFrames(_ slot: UInt32, _ input: inout MutableRawSpan, at offset: inout Int) -> Bool {
    let limits = readingLimits(slot)
    let key = connections.key(of: slot)
    do {
      while offset < input.byteCount,
        let event = try connections[slot].reader.next(in: &input, at: &offset, limits: limits)
      {
        act(on: event, slot, input.bytes)
        guard connections.contains(key), connections[slot].phase == .open else { return true }
        guard connections[slot].closing.readsFrames else { break }
      }
    } catch {
      peerBrokeRules(slot, error)
      return true
    }
    if connections[slot].reader.isAssembling {
      limitAssembly(slot)
    } else if connections[slot].closing.acceptsData {
      connections[slot].deadline = 0
    }
    return false
  }

  private func readingLimits(_ slot: UInt32) -> MessageReader.Limits {
    switch (connections[slot].flags.contains(.echoes), connections[slot].windowBits > 0) {
    case (false, false): rules.chat
    case (false, true): rules.compressedChat
    case (true, false): rules.echo
    case (true, true): rules.compressedEcho
    }
  }

  private mutating func act(on event: MessageReader.Event, _ slot: UInt32, _ input: RawSpan) {
    guard connections[slot].closing.acceptsData else {
      if case .close(let code, _) = event { peerClosed(slot, code) }
      return
    }
    switch event {
    case .message(let opcode, let range):
      message(slot, opcode, input.extracting(range))
    case .assembled(let opcode):
      // The next message in pieces has its own time.
      connections[slot].deadline = 0
      let assembled = connections[slot].reader.takeAssembled()
      message(slot, opcode, assembled.bytes)
    case .compressed(let opcode, let range):
      compressedMessage(slot, opcode, input.extracting(range))
    case .assembledCompressed(let opcode):
      let assembled = connections[slot].reader.takeAssembled()
      compressedMessage(slot, opcode, assembled.bytes)
    case .ping(let range):
      guard control(slot) else { return }
      outbox.reply(to: slot) { FrameWriter.append(.pong, input.extracting(range), to: &$0) }
    case .pong:
      _ = control(slot)
    case .close(let code, _):
      peerClosed(slot, code)
    }
  }

  @inline(__always)
  private mutating func message(_ slot: UInt32, _ opcode: Opcode, _ bytes: RawSpan) {
    guard connections[slot].flags.contains(.echoes) else { return said(slot, opcode, bytes) }
    echo(slot, opcode, bytes)
  }

  private mutating func echo(_ slot: UInt32, _ opcode: Opcode, _ bytes: RawSpan, wasCompressed: Bool = false) {
    counters.receive(.echo)
    counters.send(.echo)
    let windowBits = connections[slot].windowBits
    guard windowBits > 0 else { return outbox.reply(to: slot) { FrameWriter.append(opcode, bytes, to: &$0) } }
    // What came small must not go out large: a client could make us hold a thousand times what it sends.
    let frame = compression.echo(opcode, bytes, windowBits: windowBits, answersCompressed: wasCompressed)
    outbox.reply(to: slot) { $0.append(frame) }
  }

  /// Restores a message and does with it what is done with others.
  private mutating func compressedMessage(_ slot: UInt32, _ opcode: Opcode, _ payload: RawSpan) {
    let isEcho = connections[slot].flags.contains(.echoes)
    do throws(ProtocolViolation) {
      var restored = try compression.restore(payload, limit: (isEcho ? rules.echo : rules.chat).messageBytes)
      if !isEcho {
        message(slot, opcode, restored.bytes)
      } else if opcode == .text, !UTF8Validator.isValid(restored.bytes) {
        throw ProtocolViolation.invalidUTF8
      } else {
        echo(slot, opcode, restored.bytes, wasCompressed: true)
      }
      compression.reuse(&restored)
    } catch {
      peerBrokeRules(slot, error)
    }
  }

  /// Pings and pongs have a budget; who floods is closed. False then.
  private mutating func control(_ slot: UInt32) -> Bool {
    if connections[slot].flags.contains(.echoes) { return true }
    if connections[slot].session.mayControl(rules: rules.session, now: now.monotonic) { return true }
    close(slot, .controlFlood)
    return false
  }

  /// A message in pieces must be complete in time, or its sender holds memory for nothing.
  private mutating func limitAssembly(_ slot: UInt32) {
    guard connections[slot].deadline == 0, !connections[slot].flags.contains(.echoes) else { return }
    connections[slot].deadline = now.monotonic + pauseLeft(slot) + rules.fragments
    arm(slot, at: connections[slot].deadline)
  }

  /// The peer sends no more. What it is still owed is sent first.
  private mutating func endOfInput(_ slot: UInt32) {
    let isOwed = connections[slot].backlog != nil || outbox.hasReplies(for: slot)
    let isAnswered = connections[slot].phase == .request || connections[slot].phase == .lingering
    let asks = connections[slot].flags.contains(.asksOnline) || calls[slot] != nil
    let waits = connections[slot].phase == .waiting && asks
    noteLoss(slot)
    if connections[slot].phase == .open { farewell(slot, .lost) }
    guard isOwed || waits else { return destroy(slot) }
    connections[slot].flags.insert(.inputEnded)
    if !waits { connections[slot].flags.insert(.endsWhenSent) }
    setReading(slot, false)
    connections[slot].deadline = now.monotonic + (isAnswered ? rules.write : rules.close)
    arm(slot, at: connections[slot].deadline)
  }
}
