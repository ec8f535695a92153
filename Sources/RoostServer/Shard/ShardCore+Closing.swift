import Buffers
import EventLoops
import RealtimeCore
import Telemetry
import Transport
import WebSocketCore

extension ShardCore {
  /// Ends the WebSocket from our side: a close frame behind everything it already gets, then the peer's answer.
  /// - Parameter words: what the close frame says in the place of the reason's own text.
  mutating func close(_ slot: UInt32, _ reason: CloseReason, words: String? = nil) {
    guard case .sendClose = connections[slot].closing.close(reason.code) else { return }
    closed(slot, reason)
    outbox.reply(to: slot) { FrameWriter.appendClose(reason.code, reason: words ?? "\(reason.text)", to: &$0) }
    awaitClose(slot, reason.departure, within: rules.close)
  }

  /// The queue towards the client is full. Only the frame that is already on its way, and the close frame, are kept.
  mutating func closeSlow(_ slot: UInt32) {
    let reason = CloseReason.tooSlow
    guard case .sendClose(let code) = connections[slot].closing.close(reason.code) else { return }
    closed(slot, reason)
    warnSlow(slot, "disconnect")
    var frame: [UInt8] = []
    outbox.withScratch {
      $0.removeAll()
      FrameWriter.appendClose(code, reason: "\(reason.text)", to: &$0)
      frame = $0.array()
    }
    connections[slot].backlog?.keepStartedFrame(hasBegun: connections[slot].socket.hasBegunNext)
    connections[slot].backlog?.append(frame, 0..<frame.count, messages: 0)
    // A client that reads again within the write wait learns why; the others are dropped.
    awaitClose(slot, .lost, within: rules.write)
  }

  mutating func peerClosed(_ slot: UInt32, _ code: CloseCode?) {
    switch connections[slot].closing.peerSentClose(code) {
    case .echoThenDisconnect(let code):
      context.peerCloses.count(PeerClose(code))
      outbox.reply(to: slot) { FrameWriter.appendClose(code, to: &$0) }
      farewell(slot, .lost)
      endWhenSent(slot)
    case .disconnect:
      connections[slot].flags.contains(.awaitsWrite) ? endWhenSent(slot) : destroy(slot)
    case .sendClose, .nothing: break
    }
  }

  mutating func peerBrokeRules(_ slot: UInt32, _ violation: ProtocolViolation) {
    counters.mistakes &+= 1
    if case .sendClose(let code) = connections[slot].closing.peerBrokeRules(violation) {
      closed(slot, CloseReason(violation))
      outbox.reply(to: slot) { FrameWriter.appendClose(code, to: &$0) }
      farewell(slot, .lost)
    }
    endWhenSent(slot)
  }

  private mutating func awaitClose(_ slot: UInt32, _ departure: Departure, within time: Int64) {
    farewell(slot, departure)
    endIntake(slot)
    connections[slot].deadline = now.monotonic + time
    arm(slot, at: connections[slot].deadline)
  }

  /// Nothing follows what is on its way. The socket stays until the peer has read it and closes, or the time is up.
  mutating func endWhenSent(_ slot: UInt32) {
    endIntake(slot)
    connections[slot].phase = .lingering
    connections[slot].flags.insert(.endsWhenSent)
    connections[slot].deadline = now.monotonic + rules.close
    arm(slot, at: connections[slot].deadline)
  }

  /// The last byte is with the kernel.
  mutating func ended(_ slot: UInt32) {
    connections[slot].flags.remove(.endsWhenSent)
    if connections[slot].flags.contains(.inputEnded) { return destroy(slot) }
    connections[slot].phase = .lingering
    connections[slot].socket.shutdownSending()
    if connections[slot].socket.hasChangedNeeds { setInterest(slot) }
  }

  /// The connection is no use any more.
  mutating func lose(_ slot: UInt32) {
    noteLoss(slot)
    farewell(slot, .lost)
    destroy(slot)
  }

  /// Counts a WebSocket that ends before either side said so.
  func noteLoss(_ slot: UInt32) {
    guard connections[slot].phase == .open, connections[slot].flags.contains(.isOpen),
      connections[slot].closing.acceptsData
    else { return }
    context.peerCloses.count(.lost)
  }

  /// Takes the connection out of its rooms and tells the hub, once, whatever becomes of the socket.
  mutating func farewell(_ slot: UInt32, _ departure: Departure) {
    leaveAllRooms(slot)
    parkedOffers[slot] = nil
    if connections[slot].flags.contains(.isOpen) {
      connections[slot].flags.remove(.isOpen)
      counters.open -= 1
    }
    guard connections[slot].flags.contains(.isKnownToHub) else { return }
    connections[slot].flags.remove(.isKnownToHub)
    // Who goes because he was told to has the time he was told.
    let isSentAway = departure == .lost && connections[slot].flags.contains(.isSentAway)
    hubCommands.append(.disconnect(id(slot), isSentAway ? .sentAway : departure))
  }

  /// Closes the socket and frees the place.
  mutating func destroy(_ slot: UInt32) {
    farewell(slot, .lost)
    finish(slot)
    handshakes[slot] = nil
    calls[slot] = nil
    parked[slot] = nil
    outbox.drop(slot)
    slowSlots.remove(slot)
    let gone = connections.remove(slot)
    context.depart(gone.address)
    resumeAccepting()
  }
}
