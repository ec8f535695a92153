import Buffers
import EventLoops
import RealtimeCore
import Telemetry
import Transport
import WebSocketCore

// What sockets do not take at once waits in backlogs. Nothing here is reached for a client that keeps up.
extension ShardCore {
  /// Bytes of a backlog framed and offered to a socket in one call …
  private static let pieceBytes = 64 * 1_024
  /// … and in one turn, so that nobody is served alone.
  private static let turnBytes = 256 * 1_024

  // MARK: In

  /// Keeps the chain that starts at `head`, of which the socket took `sent` bytes.
  mutating func queue(_ slot: UInt32, from head: UInt32, sent: Int = 0) {
    if connections[slot].backlog == nil {
      connections[slot].backlog = Backlog(now: now.monotonic)
      awaitWrite(slot)
    }
    append(slot, from: head, to: nil, sent: sent)
    if let backlog = connections[slot].backlog { context.queueDepths[Int(index)].observe(backlog.messageCount) }
    lostRooms.removeAll(keepingCapacity: true)
    limitBacklog(slot)
  }

  /// Appends the chain from `head` to before `end`, less the `sent` first bytes, to the backlog.
  private mutating func append(_ slot: UInt32, from head: UInt32, to end: UInt32?, sent: Int = 0) {
    var sent = sent
    var next: UInt32? = head
    while let index = next, index != end {
      let piece = outbox.piece(index)
      let count = Int(piece.end &- piece.start)
      if piece.source == Outbox.replaySource || sent < count {
        append(slot, piece, sent: sent)
        sent = 0
      } else {
        sent -= count
      }
      next = outbox.next(piece)
    }
  }

  /// Keeps a piece: by reference when others may get it too, else a copy.
  private mutating func append(_ slot: UInt32, _ piece: Outbox.Piece, sent: Int) {
    guard let backlog = connections[slot].backlog else { return }
    let range = Int(piece.start)..<Int(piece.end)
    switch piece.source {
    case Outbox.replaySource: backlog.append(outbox.replays[Int(piece.start)])
    case Outbox.arenaSource:
      let bytes = outbox.arena.array(range)
      backlog.append(bytes, 0..<bytes.count, messages: Int(piece.messages), sent: sent)
    default:
      let frames = outbox.batches[Int(piece.source)]
      let room = outbox.batchRooms[Int(piece.source)]
      if rules.slowConsumer == .drop, room != Outbox.noRoom, isLimited(slot) {
        return appendFitting(slot, backlog, frames, range, of: room, messages: Int(piece.messages), sent: sent)
      }
      backlog.append(frames, range, messages: Int(piece.messages), sent: sent)
    }
  }

  /// Appends the frames of a room that the limit has room for. When it has none for some, the room's later ones are
  /// dropped as well, until the client is told.
  private mutating func appendFitting(
    _ slot: UInt32, _ backlog: Backlog, _ frames: [UInt8], _ range: Range<Int>, of room: RoomNumber, messages: Int,
    sent: Int
  ) {
    guard !lostRooms.contains(room) else { return counters.dropped &+= messages }
    let fitting = backlog.fitting(frames, range, sent: sent, limit: (rules.queueMessages, rules.queueBytes))
    backlog.append(frames, range.lowerBound..<fitting.end, messages: fitting.messages, sent: sent)
    guard fitting.end < range.upperBound else { return }
    counters.dropped &+= messages - fitting.messages
    lostRooms.append(room)
    mute(slot, room)
  }

  /// Whether the queue's limit holds: not for handshakes, echoes and those that are closing, which end elsewhere, nor
  /// for what the socket was not offered yet.
  private func isLimited(_ slot: UInt32) -> Bool {
    connections[slot].phase == .open && !connections[slot].flags.contains(.echoes)
      && connections[slot].flags.contains(.awaitsWrite) && connections[slot].closing.acceptsData
  }

  /// Ends who is over the limit.
  private mutating func limitBacklog(_ slot: UInt32) {
    guard isLimited(slot), let backlog = connections[slot].backlog else { return }
    // Where messages of rooms are dropped instead, answers and messages to the client himself have as much again.
    let share = rules.slowConsumer == .drop ? 2 : 1
    let isFull =
      backlog.messageCount > share * rules.queueMessages || backlog.byteCount > share * rules.queueBytes
    if isFull { closeSlow(slot) }
  }

  // MARK: Replays

  /// Sends a chain with replays as far as the socket takes it. They go through a backlog even when it takes all, for
  /// that is where they are framed.
  mutating func flushReplays(_ slot: UInt32, from head: UInt32) {
    guard connections[slot].backlog == nil else { return queue(slot, from: head) }
    let key = connections.key(of: slot)
    var rest: UInt32? = head
    while let first = rest, let replay = outbox.replay(from: first) {
      rest = outbox.next(outbox.piece(replay))
      if connections[slot].backlog == nil { connections[slot].backlog = Backlog(now: now.monotonic) }
      append(slot, from: first, to: rest)
      guard !connections[slot].flags.contains(.awaitsWrite) else { continue }
      offer(slot)
      guard connections.contains(key) else { return }
      if connections[slot].backlog?.isEmpty == true { connections[slot].backlog = nil } else { awaitWrite(slot) }
    }
    if let rest { return flush(slot, from: rest) }
    lostRooms.removeAll(keepingCapacity: true)
    limitBacklog(slot)
    if connections[slot].backlog == nil, connections[slot].flags.contains(.endsWhenSent) { ended(slot) }
  }

  // MARK: Out

  /// The socket has room again.
  mutating func drainBacklog(_ slot: UInt32) {
    let key = connections.key(of: slot)
    offer(slot)
    guard connections.contains(key), connections[slot].backlog?.isEmpty == true else { return }
    connections[slot].backlog = nil
    slowSlots.remove(slot)
    connections[slot].flags.remove(.awaitsWrite)
    // While a request waits for the hub its client stays unread; the answer starts reading again.
    if !connections[slot].flags.contains(.inputEnded), connections[slot].phase != .waiting {
      connections[slot].flags.remove(.ignoresInput)
    }
    setInterest(slot)
    if connections[slot].flags.contains(.endsWhenSent) { ended(slot) }
  }

  /// Offers the socket what waits, and tells the hub what that came to. The connection may be gone afterwards.
  private mutating func offer(_ slot: UInt32) {
    guard let backlog = connections[slot].backlog else { return }
    let hadReplays = backlog.replayCount > 0
    var offered = 0
    while !backlog.isEmpty && offered < Self.turnBytes {
      outbox.withScratch {
        $0.removeAll()
        backlog.gather(into: &$0, limit: Self.pieceBytes)
      }
      let count = outbox.scratch.count
      counters.sends &+= 1
      switch connections[slot].socket.send(outbox.scratch.bytes) {
      case .done(let sent):
        counters.bytesSent &+= sent
        backlog.advance(by: sent, now: now.monotonic)
        offered = sent < count ? Self.turnBytes : offered + sent
      case .wouldBlock: offered = Self.turnBytes
      case .failed, .endOfStream: return lose(slot)
      }
    }
    guard connections[slot].flags.contains(.isKnownToHub) else { return }
    if hadReplays && backlog.replayCount == 0 { hubCommands.append(.replayDrained(id(slot))) }
    if connections[slot].flags.contains(.hasMutedRooms), isHalfEmpty(backlog) { tellDropped(slot) }
  }

  private func isHalfEmpty(_ backlog: Backlog) -> Bool {
    2 * backlog.messageCount < rules.queueMessages && 2 * backlog.byteCount < rules.queueBytes
  }

  private mutating func awaitWrite(_ slot: UInt32) {
    connections[slot].flags.insert(.awaitsWrite)
    // Echoes and answers are made no faster than their client reads them.
    let isChat = connections[slot].phase == .open && !connections[slot].flags.contains(.echoes)
    if !isChat { connections[slot].flags.insert(.ignoresInput) }
    setInterest(slot)
    arm(slot, at: now.monotonic + rules.write)
    watch(slot)
  }
}
