import Buffers
import EventLoops
import RealtimeCore
import WebSocketCore

extension ShardCore {
  /// Does what the hub's side says. `frames` is what the commands' ranges point into.
  mutating func apply(_ commands: [ShardCommand], frames: RawSpan) {
    for command in commands {
      switch command {
      case .batch(let batch): spread(batch)
      case .text(let id, let range): text(id, frames.extracting(range))
      case .enter(let id, let number, let name, let range): enter(id, number, name, frames.extracting(range))
      case .exit(let id, let number, let name, let range): exit(id, number, name, frames.extracting(range))
      case .replay(let id, let replay): self.replay(id, replay)
      case .resync(let id, let number, let range): resync(id, number, frames.extracting(range))
      case .forget(let number): rooms.forget(number: number)
      case .admit(let id, let user): admit(id, user)
      case .refuse(let id, let refusal): refuse(id, refusal)
      case .everyone(let frame): everyone(frame)
      case .close(let id, let cause): close(id, cause)
      case .refreshed(let id, let grant, let isGood, let messageID):
        refreshed(id, grant, isGood: isGood, messageID: messageID)
      case .backend(let id, let answer): answerBackend(id, answer)
      case .online(let id, let numbers): answerOnline(id, numbers)
      case .keysChanged: judgeParked()
      case .drain(let milliseconds): sendAllAway(over: milliseconds)
      case .shed(let count, let milliseconds): shed(count, over: milliseconds)
      case .lastWords: sayLastWords()
      case .drainWanted: context.wantDrain()
      case .hub(let command): hubCommands.append(command)
      case .stop: stop()
      }
    }
  }

  /// Whether the connection is a WebSocket that may still be sent to.
  func isOpen(_ id: ConnectionID) -> Bool {
    connections.contains(id.key) && connections[id.slot].phase == .open
      && connections[id.slot].closing.acceptsData
  }

  private mutating func replay(_ id: ConnectionID, _ replay: Replay) {
    guard isOpen(id) else { return }
    // With nothing to send there is nothing to wait for.
    guard !replay.messages.isEmpty else { return hubCommands.append(.replayDrained(id)) }
    counters.send(.newMessage, replay.messages.count)
    outbox.append(replay, to: id.slot)
  }

  mutating func text(_ id: ConnectionID, _ frame: RawSpan) {
    guard isOpen(id) else { return }
    counters.send(SentKind(frame: frame))
    outbox.reply(to: id.slot) { $0.append(frame) }
  }

  private mutating func everyone(_ frame: [UInt8]) {
    // The piece for each size of window; the first is the plain one.
    let kind = unsafe SentKind(frame: frame.span.bytes)
    var pieces = InlineArray<16, UInt32>(repeating: Outbox.none)
    for slot in 0..<UInt32(connections.slotCount) where connections.isInUse(slot) {
      guard connections[slot].flags.isDisjoint(with: .echoes), isOpen(id(slot)) else { continue }
      let windowBits = connections[slot].windowBits
      if pieces[Int(windowBits)] == Outbox.none { pieces[Int(windowBits)] = piece(frame, windowBits) }
      counters.send(kind)
      outbox.appendShared(pieces[Int(windowBits)], to: slot)
    }
  }

  private mutating func piece(_ frame: [UInt8], _ windowBits: UInt8) -> UInt32 {
    let bytes = windowBits == 0 ? frame : compression.compressed(frame, windowBits: windowBits) ?? frame
    return outbox.addSharedPiece(outbox.addBatch(bytes), 0..<UInt32(bytes.count), messages: 1)
  }

  private mutating func stop() {
    for slot in 0..<UInt32(connections.slotCount) where connections.isInUse(slot) { destroy(slot) }
    if let descriptor = listener?.descriptor { loop.remove(descriptor) }
    listener = nil
    if let descriptor = adminListener?.descriptor { loop.remove(descriptor) }
    adminListener = nil
    isStopped = true
  }
}
