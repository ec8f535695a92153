import Buffers
import EventLoops
import RealtimeCore
import Transport
import WebSocketCore

extension ShardCore {
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
        act(on: result, of: range.count, slot, piece)
      } else {
        queue(slot, from: piece)
      }
    }
    return index
  }

  private mutating func flush(_ slot: UInt32) {
    guard let head = outbox.take(slot) else { return }
    if outbox.replay(from: head) == nil { flush(slot, from: head) } else { flushReplays(slot, from: head) }
  }

  /// Sends the chain that starts at `head` and has no replays, or queues it behind what waits.
  mutating func flush(_ slot: UInt32, from head: UInt32) {
    guard connections[slot].backlog == nil else { return queue(slot, from: head) }
    let piece = outbox.piece(head)
    guard outbox.next(piece) == nil else {
      outbox.join(from: head)
      let result = connections[slot].socket.send(outbox.scratch.bytes)
      return act(on: result, of: outbox.scratch.count, slot, head)
    }
    let range = Int(piece.start)..<Int(piece.end)
    if piece.source == Outbox.arenaSource {
      let result = connections[slot].socket.send(outbox.arena.bytes.extracting(range))
      act(on: result, of: range.count, slot, head)
    } else {
      let frames = outbox.batches[Int(piece.source)]
      let result = unsafe connections[slot].socket.send(frames.span.bytes.extracting(range))
      act(on: result, of: range.count, slot, head)
    }
  }

  /// What a send of the `count` bytes of the chain at `head` came to.
  @inline(__always)
  private mutating func act(on result: IOResult, of count: Int, _ slot: UInt32, _ head: UInt32) {
    counters.sends &+= 1
    switch result {
    case .done(count):
      counters.bytesSent &+= count
      if connections[slot].flags.contains(.endsWhenSent) { ended(slot) }
    case .done(let sent):
      counters.bytesSent &+= sent
      queue(slot, from: head, sent: sent)
    case .wouldBlock: queue(slot, from: head)
    case .failed, .endOfStream: lose(slot)
    }
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

  mutating func setInterest(_ slot: UInt32) {
    var interest: EventLoop.Interest = []
    if connections[slot].isRead { interest.insert(.read) }
    let needsWritable = connections[slot].socket.noteNeeds()
    if needsWritable || connections[slot].flags.contains(.awaitsWrite) { interest.insert(.write) }
    if interest.contains(.read), connections[slot].socket.holdsMore { unread.append(connections.key(of: slot)) }
    loop.modify(connections[slot].socket.descriptor, token: id(slot).rawValue, interest: interest)
  }
}
