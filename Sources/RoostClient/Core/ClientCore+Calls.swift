import RealtimeCore

extension ClientCore {
  /// What somebody asks of the client. The answer comes with the ticket.
  enum Call {
    case join(room: String, history: Int, since: Position?)
    case leave(room: String)
    case send(JSONText, room: String, id: String?)
    case direct(JSONText, user: String)
    case chat(JSONText)
    case members(room: String)
    case history(room: String, limit: Int, before: Int?)
    case refresh(token: String)
  }

  mutating func call(_ call: Call, ticket: Int, _ now: Int64) {
    if let problem = problem(with: call) { return answer(ticket, .failure(problem)) }
    switch call {
    case .join(let room, let history, let since): join(room, history, since, ticket)
    case .leave(let room): leave(room, ticket)
    case .send(let payload, let room, let id):
      let id = id ?? nextID()
      ask(.send, room, ClientText.send(payload, to: room, id: id), id, ticket)
    case .direct(let payload, let user):
      let id = nextID()
      ask(.direct, nil, ClientText.direct(payload, to: user, id: id), id, ticket)
    case .chat(let payload):
      let id = nextID()
      ask(.direct, nil, ClientText.chat(payload, id: id), id, ticket)
    case .members(let room):
      let id = nextID()
      ask(.members, room, ClientText.ofRoom("online_users", room, id: id), id, ticket)
    case .history(let room, let limit, let before):
      let id = nextID()
      ask(.history, room, ClientText.history(room, limit: limit, before: before, id: id), id, ticket)
    case .refresh(let token):
      self.token = token
      guard phase == .open else { return answer(ticket, .success(.done)) }
      let id = nextID()
      ask(.refresh, nil, ClientText.refresh(token, id: id), id, ticket)
    }
    pump(now)
  }

  /// Best effort: said when we are in the room right now, else not at all.
  mutating func typing(_ room: String, isTyping: Bool) {
    guard phase == .open, rooms[room]?.isMember == true else { return }
    actions.append(.send(ClientText.typing(room, isTyping: isTyping)))
  }

  /// Whoever has this ticket does not wait any more.
  mutating func cancel(ticket: Int) {
    var isWaiting = requests.cancel(ticket: ticket)
    for (name, track) in rooms where track.tickets.contains(ticket) {
      rooms[name]?.tickets.removeAll { $0 == ticket }
      isWaiting = true
    }
    for place in [\ClientCore.connectTickets, \ClientCore.closeTickets] where self[keyPath: place].contains(ticket) {
      self[keyPath: place].removeAll { $0 == ticket }
      isWaiting = true
    }
    if isWaiting { answer(ticket, .failure(.cancelled)) }
  }

  /// The next event for whoever listens.
  mutating func takeEvent(_ now: Int64) -> ClientEvent? {
    let event = events.take()
    // Rooms that were left behind because nobody listened can be caught up with.
    if event != nil, events.hasRoom { pump(now) }
    return event
  }

  // MARK: Each kind

  private func problem(with call: Call) -> ClientError? {
    switch phase {
    case .ended: return end ?? .disconnected
    case .closing: return .disconnected
    case .idle, .token, .connecting, .open, .waiting: break
    }
    switch call {
    case .join(let room, let history, _):
      if rooms[room] == nil && rooms.count >= rules.rooms { return .tooMuchPending }
      if !(0...100).contains(history) { return .invalid("a history has 0 to 100 messages") }
      return problem(withRoom: room)
    case .leave(let room), .members(let room): return problem(withRoom: room) ?? crowd(0)
    case .send(let payload, let room, let id):
      if let id, !(1...64).contains(id.unicodeScalars.count) { return .invalid("an id has 1 to 64 characters") }
      if let id, requests.contains(id) { return .invalid("a message with this id is under way") }
      return problem(withRoom: room) ?? crowd(payload.bytes.count)
    case .direct(let payload, let user):
      return (1...128).contains(user.utf8.count)
        ? crowd(payload.bytes.count) : .invalid("a user's id has 1 to 128 bytes")
    case .chat(let payload): return crowd(payload.bytes.count)
    case .history(let room, let limit, _):
      guard (1...100).contains(limit) else { return .invalid("a history has 1 to 100 messages") }
      return problem(withRoom: room) ?? crowd(0)
    case .refresh(let token): return Self.isToken(token) ? nil : .invalid("a token is one line of ASCII")
    }
  }

  private func problem(withRoom room: String) -> ClientError? {
    RoomName(room) == nil ? .invalid("a room's name has 1 to 128 of A-Z a-z 0-9 . _ : -") : nil
  }

  private func crowd(_ bytes: Int) -> ClientError? {
    requests.items.count >= rules.pendingMessages || requests.bytes + bytes > rules.pendingBytes
      ? .tooMuchPending : nil
  }

  /// Whether it can stand in a header.
  static func isToken(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }

  private mutating func ask(_ kind: Request.Kind, _ room: String?, _ text: [UInt8], _ id: String, _ ticket: Int) {
    requests.append(Request(id: id, kind: kind, room: room, text: text, ticket: ticket))
  }

  private mutating func join(_ room: String, _ history: Int, _ since: Position?, _ ticket: Int) {
    var track = rooms[room] ?? RoomTrack()
    track.tickets.append(ticket)
    if !track.isKnown {
      track.history = history
      if let since { track.position = since }
    }
    // It is asked for once more: the answer says who is there now.
    if track.phase == .joined { track.phase = .behind }
    rooms[room] = track
  }

  private mutating func leave(_ room: String, _ ticket: Int) {
    for waiting in rooms.removeValue(forKey: room)?.tickets ?? [] { answer(waiting, .failure(.disconnected)) }
    guard phase == .open else { return answer(ticket, .success(.done)) }
    let id = nextID()
    ask(.leave, room, ClientText.ofRoom("leave_room", room, id: id), id, ticket)
  }
}
