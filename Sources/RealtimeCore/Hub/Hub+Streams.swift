import Buffers

extension Hub {
  /// A numbered message came, from whichever side.
  mutating func arrive(_ message: StoredMessage, at place: Position, room number: RoomNumber, now: Now) {
    confirm(message, at: place, room: number, now: now)
    switch rooms[number].stream.arrive(message, at: place, now: now.monotonic) {
    case .deliver(let message):
      deliver(message, at: place, room: number, now: now)
      drain(number, now: now)
    case .duplicate: break
    case .held:
      awaitTurn(message, at: place, room: number)
      noteGap(number, now: now)
    }
  }

  /// Delivers what had to wait and may go now.
  mutating func drain(_ number: RoomNumber, now: Now) {
    while let message = rooms[number].stream.next() {
      deliver(message, at: rooms[number].stream.position!, room: number, now: now)
    }
    noteGap(number, now: now)
  }

  private mutating func deliver(_ message: StoredMessage, at place: Position, room number: RoomNumber, now: Now) {
    remember(message, at: place.offset, room: number, now: now)
    turnCame(for: message, room: number)
    let entries = rooms[number].entries
    guard rooms[number].stream.isFirst(key: message.retryKey, entries: entries, now: now.monotonic) else {
      // Members have it; who sent it again wants to know where it is.
      counters.repeats += 1
      if let origin = message.origin, connections[origin] != nil {
        acknowledge(message, to: origin, at: place, room: number)
      }
      return
    }
    counters.delivered += 1
    var item = RoomItem(text: write { message.envelope.appendClientFrame(to: &$0, offset: place.offset) })
    if let sender = localUser(message.sender), users[sender].connections.count > (message.origin == nil ? 0 : 1) {
      item.ownUser = sender
      item.ownText =
        message.envelope.clientIDRange != nil
        ? write { message.envelope.appendClientFrame(to: &$0, offset: place.offset, includingClientID: true) }
        : item.text
    }
    guard let origin = message.origin, connections[origin] != nil else {
      return output.actions.append(.item(number, item))
    }
    let name = rooms[number].name
    let ack = write {
      message.envelope.appendAck(room: name, at: place, to: &$0)
    }
    (item.origin, item.ack) = (origin, ack)
    output.actions.append(.item(number, item))
    // Who left before the answer came, or is on the way back in, is no member and gets the ack alone.
    if !connections[origin]!.rooms.contains(number) || isOnItsWay(origin, into: number) {
      output.actions.append(.text(origin, ack))
    }
  }

  // MARK: Gaps

  /// The room's stream may want to ask.
  mutating func noteGap(_ number: RoomNumber, now: Now) {
    guard let due = rooms[number].stream.questionDue else { return }
    // A question that failed waits longer than any gap, and must not hold up the other rooms.
    let failures = rooms[number].stream.failures
    guard failures > 0, due > now.monotonic else { return gaps.append(number, due: due) }
    roomRetries.append(number, attempt: failures, now: now.monotonic)
  }

  /// Frames may have been missed: every room asks what it lacks.
  mutating func doubtAllRooms(now: Now) {
    for slot in 0..<UInt32(rooms.slotCount) where rooms.isInUse(slot) {
      rooms[slot].stream.doubt(now: now.monotonic)
      mark(slot)
    }
  }

  /// Asks for all rooms whose question is due; those on one server together.
  mutating func askGaps(_ numbers: [RoomNumber], now: Now) {
    let spread = configuration.spread
    guard spread.servers > 1 else { return askGaps(together: numbers, now: now) }
    for server in 0..<spread.servers {
      askGaps(
        together: numbers.filter { rooms.isInUse($0) && spread.server(of: rooms[$0].name) == server }, now: now)
    }
  }

  /// As many in one request as it may hold.
  private mutating func askGaps(together numbers: [RoomNumber], now: Now) {
    var batch: [(room: RoomName, known: Position?)] = []
    var asked: [RoomNumber] = []
    for number in numbers where rooms.isInUse(number) {
      guard let known = rooms[number].stream.takeQuestion(now: now.monotonic) else {
        if rooms[number].stream.failures == 0 { noteGap(number, now: now) }
        continue
      }
      batch.append((rooms[number].name, known))
      asked.append(number)
      if batch.count == RelayLimits.roomsPerRead {
        ask(.read(batch), .read(asked))
        (batch, asked) = ([], [])
      }
    }
    if !batch.isEmpty { ask(.read(batch), .read(asked)) }
  }

  mutating func readAnswered(_ numbers: [RoomNumber], _ reply: RelayReply, now: Now) {
    counters.gapReads += 1
    guard case .read(let reads) = reply, reads.count == numbers.count else {
      for number in numbers where rooms.isInUse(number) {
        rooms[number].stream.questionFailed(now: now.monotonic)
        noteGap(number, now: now)
      }
      return
    }
    for (number, read) in zip(numbers, reads) where rooms.isInUse(number) && rooms[number].name == read.room {
      apply(read, to: number, now: now)
    }
  }

  private mutating func apply(_ read: RoomRead, to number: RoomNumber, now: Now) {
    var messages: [(offset: Int, message: StoredMessage)] = []
    var isComplete = read.isComplete
    for (offset, text) in read.messages {
      guard let message = StoredMessage(stored: text, instance: configuration.instance, scratch: &scratch) else {
        counters.badFrames += 1
        isComplete = false  // a hole by another name
        continue
      }
      messages.append((offset, message))
      guard let top = read.top else { continue }
      let place = Position(epoch: top.epoch, offset: offset)
      confirm(message, at: place, room: number, now: now)
      awaitTurn(message, at: place, room: number)
    }
    let answer = rooms[number].stream.answer(
      known: read.known, top: read.top, messages: messages, isComplete: isComplete, now: now.monotonic)
    if case .resync(let place, let reason) = answer {
      counters.resyncs[reason.cause, default: 0] += 1
      clearRing(number)
      let (name, stamp) = (rooms[number].name, stamp(now))
      let text = write {
        ServerMessage.appendResync(
          room: name, epoch: place.epoch, offset: place.offset, reason: reason.word, timestamp: stamp, to: &$0)
      }
      output.actions.append(.item(number, RoomItem(text: text)))
      settleTurns(room: number)
    }
    if read.top == nil { rooms[number].duties.isNeeded = true }
    let delivered = counters.delivered
    drain(number, now: now)
    if case .nothing = answer, counters.delivered > delivered { counters.gapsFilled += 1 }
    mark(number)
  }

  // MARK: Texts

  /// Writes one text of this turn and returns where it is.
  mutating func write(_ body: (inout ByteBuffer) -> Void) -> TextRange {
    let start = output.text.count
    body(&output.text)
    return start..<output.text.count
  }

  mutating func refuse(_ connection: ConnectionID, _ mistake: ClientMistake, id: [UInt8]) {
    guard connections[connection] != nil else { return }
    counters.errors[mistake.code, default: 0] += 1
    let text = write { ServerMessage.appendError(mistake, id: unsafe id.span.bytes, to: &$0) }
    output.actions.append(.text(connection, text))
  }
}

extension RoomStream.ResyncReason {
  /// The reason as clients read it.
  var word: StaticString {
    switch self {
    case .epochChanged: "epoch_changed"
    case .tooFar: "too_far"
    case .rollback: "rollback"
    }
  }

  /// The reason as it is counted.
  var cause: ResyncCause {
    switch self {
    case .epochChanged: .epochChanged
    case .tooFar: .tooFar
    case .rollback: .rollback
    }
  }
}
