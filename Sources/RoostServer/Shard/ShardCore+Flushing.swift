import Buffers
import EventLoops
import RealtimeCore
import WebSocketCore

extension ShardCore {
  /// Bytes of a backlog offered to a socket at once.
  private static let backlogPiece = 256 * 1_024

  /// Sends everybody what this turn has for them.
  mutating func flush() {
    guard !outbox.isEmpty else { return }
    var index = 0
    while index < outbox.touched.count {
      if let piece = outbox.sharedPiece(of: outbox.touched[index]) {
        index = flushShared(piece, from: index)
      } else {
        flush(outbox.touched[index])
        index &+= 1
      }
    }
    outbox.endTurn()
  }

  /// Sends to the run of connections from `index` on that get nothing but `piece`: what fan-out mostly is. Returns
  /// where the run ends.
  private mutating func flushShared(_ piece: UInt32, from start: Int) -> Int {
    let single = outbox.piece(piece)
    let range = Int(single.start)..<Int(single.end)
    let frames = outbox.batches[Int(single.source)]
    var index = start
    while index < outbox.touched.count, outbox.take(piece, from: outbox.touched[index]) {
      let slot = outbox.touched[index]
      index &+= 1
      if connections[slot].backlog == nil {
        let result = unsafe connections[slot].socket.send(frames.span.bytes.extracting(range))
        act(on: result, of: range.count, slot, single, single.messages)
      } else {
        queue(slot, single, single.messages, sent: 0)
      }
    }
    return index
  }

  private mutating func flush(_ slot: UInt32) {
    guard let (single, messages) = outbox.take(slot) else { return }
    guard connections[slot].backlog == nil else { return queue(slot, single, messages, sent: 0) }
    guard let single else {
      let result = connections[slot].socket.send(outbox.scratch.bytes)
      return act(on: result, of: outbox.scratch.count, slot, nil, messages)
    }
    let range = Int(single.start)..<Int(single.end)
    if single.source == Outbox.arenaSource {
      let result = connections[slot].socket.send(outbox.arena.bytes.extracting(range))
      act(on: result, of: range.count, slot, single, messages)
    } else {
      let frames = outbox.batches[Int(single.source)]
      let result = unsafe connections[slot].socket.send(frames.span.bytes.extracting(range))
      act(on: result, of: range.count, slot, single, messages)
    }
  }

  /// What a send of `count` bytes came to.
  @inline(__always)
  private mutating func act(
    on result: IOResult, of count: Int, _ slot: UInt32, _ single: Outbox.Piece?, _ messages: UInt32
  ) {
    counters.sends &+= 1
    switch result {
    case .done(count): if connections[slot].flags.contains(.endsWhenSent) { ended(slot) }
    case .done(let sent): queue(slot, single, messages, sent: sent)
    case .wouldBlock: queue(slot, single, messages, sent: 0)
    case .failed, .endOfStream: lose(slot)
    }
  }

  /// Keeps what the socket did not take: by reference when many get the same, else a copy.
  private mutating func queue(_ slot: UInt32, _ single: Outbox.Piece?, _ messages: UInt32, sent: Int) {
    let backlog = connections[slot].backlog ?? startBacklog(slot)
    if let single, single.source != Outbox.arenaSource {
      backlog.append(
        outbox.batches[Int(single.source)], Int(single.start)..<Int(single.end), messages: messages, sent: sent)
    } else {
      let bytes = single.map { outbox.arena.array(Int($0.start)..<Int($0.end)) } ?? outbox.scratch.array()
      backlog.append(bytes, 0..<bytes.count, messages: messages, sent: sent)
    }
    guard connections[slot].phase == .open, !connections[slot].flags.contains(.echoes) else { return }
    // Direct answers are not counted as messages but must end somewhere too.
    let isFull = backlog.messageCount > rules.queueMessages || backlog.byteCount > rules.queueBytes
    if isFull && connections[slot].closing.acceptsData { closeSlow(slot) }
  }

  private mutating func startBacklog(_ slot: UInt32) -> Backlog {
    let backlog = Backlog(now: now.monotonic)
    connections[slot].backlog = backlog
    connections[slot].flags.insert(.awaitsWrite)
    // Echoes and answers are made no faster than their client reads them.
    let isChat = connections[slot].phase == .open && !connections[slot].flags.contains(.echoes)
    if !isChat { connections[slot].flags.insert(.ignoresInput) }
    setInterest(slot)
    arm(slot, at: now.monotonic + rules.write)
    return backlog
  }

  /// The socket has room again.
  mutating func drainBacklog(_ slot: UInt32) {
    guard let backlog = connections[slot].backlog else { return }
    outbox.withScratch {
      $0.removeAll()
      backlog.gather(into: &$0, limit: Self.backlogPiece)
    }
    switch connections[slot].socket.send(outbox.scratch.bytes) {
    case .done(let sent): backlog.advance(by: sent, now: now.monotonic)
    case .wouldBlock: return
    case .failed, .endOfStream: return lose(slot)
    }
    guard backlog.isEmpty else { return }
    connections[slot].backlog = nil
    connections[slot].flags.remove(.awaitsWrite)
    // While a request waits for the hub its client stays unread; the answer starts reading again.
    if !connections[slot].flags.contains(.inputEnded), connections[slot].phase != .waiting {
      connections[slot].flags.remove(.ignoresInput)
    }
    setInterest(slot)
    if connections[slot].flags.contains(.endsWhenSent) { ended(slot) }
  }

  // MARK: What the loop tells us about a connection

  mutating func setReading(_ slot: UInt32, _ isReading: Bool) {
    guard isReading == connections[slot].flags.contains(.ignoresInput) else { return }
    if isReading {
      connections[slot].flags.remove(.ignoresInput)
    } else {
      connections[slot].flags.insert(.ignoresInput)
    }
    setInterest(slot)
  }

  private mutating func setInterest(_ slot: UInt32) {
    var interest: EventLoop.Interest = []
    if !connections[slot].flags.contains(.ignoresInput) { interest.insert(.read) }
    if connections[slot].flags.contains(.awaitsWrite) { interest.insert(.write) }
    loop.modify(connections[slot].socket.descriptor, token: id(slot).rawValue, interest: interest)
  }
}
