import Buffers

// What the relay tells about a room's past, and who asks for it without joining.

extension Hub {
  /// The relay answered a question about what a room's returners missed.
  mutating func pastArrived(_ number: RoomNumber, _ ticket: RelayTicket, _ reply: RelayReply, now: Now) {
    guard rooms.isInUse(number), rooms[number].pastQuestion == ticket else { return }
    rooms[number].pastQuestion = nil
    switch reply {
    case .read(let reads) where reads.count == 1:
      let isComplete = learn(reads[0].messages, top: reads[0].top, room: number, now: now) && reads[0].isComplete
      finishQuestion(number) { entrant in
        guard let known = reads[0].known, let since = entrant.wish.since else { return }
        // An answer with a hole settles it for who asked from furthest back; others may still be helped.
        let isSettled = isComplete ? since.offset >= known.offset : since.offset == known.offset
        if reads[0].top == nil || since.epoch == known.epoch && (isSettled || reads[0].top!.epoch != known.epoch) {
          entrant.hasRead = true
        }
      }
    case .history(let history):
      _ = learn(history.messages, top: history.top, room: number, now: now)
      finishQuestion(number) { $0.hasHistory = true }
    default:
      // Nobody is told anything false: they wait until it works, or until their patience ends.
      let due = roomRetries.append(number, attempt: rooms[number].pastRetry.failures + 1, now: now.monotonic)
      rooms[number].pastRetry.failed(at: due)
      for index in rooms[number].returners.indices where rooms[number].returners[index].state == .isAsked {
        rooms[number].returners[index].state = .waits(until: due)
      }
    }
    mark(number)
  }

  private mutating func finishQuestion(_ number: RoomNumber, _ mark: (inout Entrant) -> Void) {
    rooms[number].pastRetry = Retry()
    for index in rooms[number].returners.indices where rooms[number].returners[index].state == .isAsked {
      rooms[number].returners[index].state = .asks
      mark(&rooms[number].returners[index].entrant)
    }
  }

  /// Takes in messages that lie next to each other: what is above the stream's position is news, and goes through
  /// the stream to all members; what is below goes in front of what the room remembers. False when one of them was
  /// not readable.
  private mutating func learn(
    _ texts: [(offset: Int, text: [UInt8])], top: Position?, room number: RoomNumber, now: Now
  ) -> Bool {
    guard let top else {
      rooms[number].stream.doubt(now: now.monotonic)
      return true
    }
    rooms[number].stream.start(at: top, now: now.monotonic)
    guard let position = rooms[number].stream.position, position.epoch == top.epoch else {
      rooms[number].stream.doubt(now: now.monotonic)
      return true
    }
    let (messages, isWhole) = parse(texts)
    let older = messages.prefix { $0.offset <= position.offset }
    rememberOlder(
      older.map { PastMessage(envelope: $0.message.envelope, sender: $0.message.sender, offset: $0.offset) },
      room: number, now: now)
    for (offset, message) in messages[older.endIndex...] {
      arrive(message, at: Position(epoch: top.epoch, offset: offset), room: number, now: now)
    }
    drain(number, now: now)
    return isWhole
  }

  /// The messages behind the last one that is not readable, and whether there was none.
  private mutating func parse(
    _ texts: [(offset: Int, text: [UInt8])]
  ) -> (messages: [(offset: Int, message: StoredMessage)], isWhole: Bool) {
    var messages: [(offset: Int, message: StoredMessage)] = []
    messages.reserveCapacity(texts.count)
    var isWhole = true
    for (offset, text) in texts {
      if let message = StoredMessage(stored: text, instance: configuration.instance, scratch: &scratch) {
        messages.append((offset, message))
      } else {
        counters.badFrames += 1
        messages.removeAll()
        isWhole = false
      }
    }
    return (messages, isWhole)
  }

  // MARK: What is remembered

  /// Whether the room remembers everything from `from` up to the position.
  func remembers(_ number: RoomNumber, from: Int, _ position: Position) -> Bool {
    from > position.offset || !rooms[number].ring.isEmpty && rooms[number].ring.firstOffset <= from
  }

  /// What may be told of the messages from `from` up to `end`, which is not beyond the position: the last ones that
  /// are remembered, not too old and not too much.
  func remembered(_ number: RoomNumber, from: Int, below end: Int, now: Now) -> ArraySlice<PastMessage> {
    let from = max(from, rooms[number].ring.firstOffset)
    guard from < end, end <= rooms[number].ring.endOffset else { return [] }
    return tellable(rooms[number].ring.entries(from: from, below: end), now: now)
  }

  private func tellable(_ messages: ArraySlice<PastMessage>, now: Now) -> ArraySlice<PastMessage> {
    let oldest = oldestRemembered(now)
    var (first, bytes) = (messages.endIndex, 0)
    while first > messages.startIndex {
      let message = messages[first - 1]
      bytes += message.byteCount
      if message.isOlder(than: oldest) { break }
      if bytes > configuration.historyBytes, first < messages.endIndex { break }
      first -= 1
    }
    return messages[first...]
  }

  // MARK: History without joining

  /// Memory for the answers of one turn, about: many who ask at once must not make the node hold it all at once.
  static var historyBytesPerTurn: Int { 16 << 20 }

  mutating func askHistory(
    _ connection: ConnectionID, _ name: RoomName, limit: Int, before: Int?, id: [UInt8], now: Now
  ) {
    guard let record = connections[connection] else { return }
    guard let number = roomNumbers[name], record.rooms.contains(number) else {
      return refuse(connection, .notInRoom, id: id)
    }
    if let past = rememberedPast(of: number, limit: limit, before: before, now: now) {
      return tellHistory(connection, name, epoch: past.epoch, past.messages, id: id, now: now)
    }
    counters.pastReads += 1
    ask(.history(name, before: before, limit: limit), .history(connection, name, id: id))
  }

  /// The last messages, if the room remembers all that are asked for.
  mutating func rememberedPast(
    of number: RoomNumber, limit: Int, before: Int?, now: Now
  ) -> (epoch: String, messages: ArraySlice<PastMessage>)? {
    guard let position = rooms[number].stream.position else { return nil }
    let end = min(before ?? .max, position.offset + 1)
    guard end > 1 else { return (position.epoch, []) }
    let from = max(1, end - limit)
    guard remembers(number, from: from, position) else { return nil }
    let messages = remembered(number, from: from, below: end, now: now)
    if !messages.isEmpty { useRing(number, now: now) }
    return (position.epoch, messages)
  }

  /// What may be told of the relay's answer.
  mutating func past(of history: RoomHistory, now: Now) -> ArraySlice<PastMessage> {
    let messages = parse(history.messages).messages.map {
      PastMessage(envelope: $0.message.envelope, sender: $0.message.sender, offset: $0.offset)
    }
    return tellable(messages[...], now: now)
  }

  mutating func historyArrived(
    _ connection: ConnectionID, _ name: RoomName, id: [UInt8], _ reply: RelayReply, now: Now
  ) {
    guard let record = connections[connection] else { return }
    guard case .history(let history) = reply, let top = history.top else {
      // Without a top the room is about to begin anew.
      return refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: id)
    }
    guard let number = roomNumbers[name], record.rooms.contains(number) else {
      return refuse(connection, .notInRoom, id: id)
    }
    tellHistory(connection, name, epoch: top.epoch, past(of: history, now: now), id: id, now: now)
  }

  private mutating func tellHistory(
    _ connection: ConnectionID, _ name: RoomName, epoch: String, _ messages: ArraySlice<PastMessage>, id: [UInt8],
    now: Now
  ) {
    guard let user = user(of: connection) else { return }
    guard historyBytes < Self.historyBytesPerTurn else {
      return refuse(connection, .rateLimited(retryAfterMilliseconds: 1_000), id: id)
    }
    let (identity, stamp) = (users[user].identity.user, stamp(now))
    let text = write {
      ServerMessage.appendHistory(
        room: name, epoch: epoch, messages: messages, user: identity, timestamp: stamp, id: unsafe id.span.bytes,
        to: &$0)
    }
    historyBytes += text.count
    output.actions.append(.text(connection, text))
  }
}
