extension ClientCore {
  mutating func newMessage(_ text: ServerText) {
    guard let message = text.message, let track = rooms[message.room] else { return }
    guard let offset = message.offset else { return events.offer(.message(message)) }
    switch track.verdict(offset) {
    case .known: return
    case .gap: return fallBehind(message.room, at: offset, message)
    case .next: break
    }
    if let id = message.clientID, takeBack(message, sentAs: id) || isOwn(id) {
      rooms[message.room]?.recent.insert(message.id)
      rooms[message.room]?.advance()
    } else if !message.id.isEmpty, track.recent.contains(message.id) {
      rooms[message.room]?.advance()
    } else if events.isFull {
      rooms[message.room]?.phase = .behind
    } else {
      deliver(message)
    }
  }

  private mutating func deliver(_ message: RoomMessage) {
    rooms[message.room]?.recent.insert(message.id)
    rooms[message.room]?.advance()
    events.append(.message(message))
  }

  /// It is one of ours whose ack was lost: this is the answer. False when nobody waits for it.
  private mutating func takeBack(_ message: RoomMessage, sentAs id: String) -> Bool {
    guard let request = requests.items.first(where: { $0.id == id && $0.room == message.room && $0.kind == .send })
    else { return false }
    _ = requests.take(id)
    let receipt = Receipt(
      room: message.room, offset: message.offset ?? 0, epoch: rooms[message.room]?.position?.epoch ?? "",
      messageID: message.id, isDuplicate: false)
    answer(request.ticket, .success(.receipt(receipt)))
    return true
  }

  /// An ack takes its message's place in the room's order.
  mutating func place(ackOf text: ServerText, _ room: String, _ offset: Int) {
    guard let track = rooms[room], text.payload?["epoch"]?.string == track.position?.epoch else { return }
    if let id = text.payload?["message_id"]?.string { rooms[room]?.recent.insert(id) }
    switch track.verdict(offset) {
    case .known: return
    case .next: rooms[room]?.advance()
    case .gap: fallBehind(room, at: offset, nil)
    }
  }

  /// Offsets were left out. They are asked for again; if that brings nothing three times, they are told as lost.
  private mutating func fallBehind(_ room: String, at offset: Int, _ message: RoomMessage?) {
    guard let track = rooms[room], let position = track.position else { return }
    guard track.fruitless >= 3 else {
      rooms[room]?.fruitless += 1
      rooms[room]?.phase = .behind
      return
    }
    let before = Position(epoch: position.epoch, offset: offset - 1)
    rooms[room]?.position = before
    events.append(.missed(room: room, reason: "gap", position: before))
    if let message { deliver(message) } else { rooms[room]?.advance() }
  }

  mutating func roomInfo(_ text: ServerText) {
    guard let members = text.members, let position = text.position, let id = text.id,
      var track = rooms[members.room], track.isAsked(id)
    else { return }
    let recovered = text.payload?["recovered"]?.flag
    let info = RoomInfo(
      room: members.room, users: members.users, count: members.count, position: position, recovered: recovered,
      reason: text.payload?["reason"]?.string)
    let isLoss = track.joined(at: position, recovered: recovered ?? false)
    let tickets = track.tickets
    let isReturn = track.isReturn
    (track.tickets, track.isReturn) = ([], false)
    rooms[members.room] = track
    for ticket in tickets { answer(ticket, .success(.room(info))) }
    if isReturn { events.append(.rejoined(info)) }
    if isLoss { events.append(.missed(room: info.room, reason: info.reason ?? "unknown", position: position)) }
  }

  mutating func resync(_ text: ServerText) {
    guard let room = text.room, let position = text.position, let track = rooms[room] else { return }
    // A question that is under way will be answered after this, and by the position that we really have.
    guard track.phase == .joined || track.phase == .behind else { return }
    let reason = text.payload?["reason"]?.string ?? "unknown"
    if position.epoch == track.position?.epoch, reason == "slow_consumer", track.fruitless < 3 {
      rooms[room]?.fruitless += 1
      rooms[room]?.phase = .behind
      return
    }
    rooms[room]?.position = position
    rooms[room]?.phase = .joined
    events.append(.missed(room: room, reason: reason, position: position))
  }
}

extension RoomTrack {
  /// Whether the question with this id is under way.
  func isAsked(_ id: String) -> Bool {
    if case .asked(id, _) = phase { true } else { false }
  }
}
