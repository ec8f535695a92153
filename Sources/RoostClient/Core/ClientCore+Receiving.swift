extension ClientCore {
  /// A message came from the server.
  mutating func received(_ bytes: [UInt8], _ now: Int64) {
    guard phase == .open else { return }
    guard let text = ServerText(bytes) else {
      actions.append(.drop)
      return ended(.violation("the server sent what is no message"), now)
    }
    // Whoever only refuses us has not shown that the connection is good.
    if text.type != "error" { backoff.reset() }
    switch text.type {
    case "new_message": newMessage(text)
    case "ack": ack(text)
    case "error": failed(text, now)
    case "room_info": roomInfo(text)
    case "resync": resync(text)
    case "online_users": if let members = text.members { answered(text, .members(members)) }
    case "history": if let history = text.history { answered(text, .history(history)) }
    case "server_draining":
      drainDelay = text.payload?["reconnect_after_ms"]?.integer.map { Int64(min(max($0, 0), 300_000)) }
      events.append(.draining)
    case "token_expiring":
      if rules.hasTokenSource {
        fetchToken(.expiring)
      } else {
        events.append(.tokenExpiring(at: text.payload?["expires_at"]?.string ?? ""))
      }
    case "pong": break
    default: tell(text)
    }
    pump(now)
  }

  /// What is told as it is.
  private mutating func tell(_ text: ServerText) {
    let user = text.sender ?? text.payload.flatMap { RoomUser($0) }
    switch (text.type, text.room, user) {
    case ("user_joined", let room?, let user?): events.offer(.userJoined(room: room, user))
    case ("user_left", let room?, let user?): events.offer(.userLeft(room: room, user))
    case ("user_typing", let room?, let user?): events.offer(.typing(room: room, user, isTyping: true))
    case ("user_stopped_typing", let room?, let user?): events.offer(.typing(room: room, user, isTyping: false))
    case ("presence_sync", let room?, _):
      events.offer(.userCount(room: room, text.payload?["count"]?.integer ?? 0))
    case ("private", _, _): if let message = text.direct { events.append(.direct(message)) }
    case ("chat", _, _): if let message = text.direct { events.append(.chat(message)) }
    case ("notification", _, _):
      let (title, body) = (text.payload?["title"]?.string, text.payload?["body"]?.string)
      events.append(.notification(title: title ?? "", body: body ?? ""))
    case ("relay_status", _, _): events.append(.relay(isDegraded: text.payload?["degraded"]?.flag ?? false))
    default: events.offer(.other(type: text.type, room: text.room, payload: text.payload))
    }
  }

  private mutating func answered(_ text: ServerText, _ answer: Answer) {
    guard let request = text.id.flatMap({ requests.take($0) }) else { return }
    self.answer(request.ticket, .success(answer))
  }

  private mutating func ack(_ text: ServerText) {
    let isDuplicate = text.payload?["dup"]?.flag ?? false
    if let room = text.room, let offset = text.offset, !isDuplicate { place(ackOf: text, room, offset) }
    guard let id = text.id else {
      // A new token does not open the room.
      guard let room = text.room, let track = rooms.removeValue(forKey: room) else { return }
      for ticket in track.tickets { answer(ticket, .failure(.disconnected)) }
      return events.append(.expelled(room: room, nil))
    }
    guard let request = requests.take(id) else { return }
    switch request.kind {
    case .send:
      requests.wentWell()
      answer(request.ticket, .success(.receipt(Self.receipt(text, isDuplicate))))
    case .direct:
      requests.wentWell()
      let receipt = DirectReceipt(
        recipients: text.payload?["recipients"]?.integer, isPartial: text.payload?["partial"]?.flag ?? false)
      answer(request.ticket, .success(.direct(receipt)))
    case .leave, .members, .history, .refresh: answer(request.ticket, .success(.done))
    }
  }

  private static func receipt(_ text: ServerText, _ isDuplicate: Bool) -> Receipt {
    Receipt(
      room: text.room ?? "", offset: text.offset ?? 0, epoch: text.payload?["epoch"]?.string ?? "",
      messageID: text.payload?["message_id"]?.string, isDuplicate: isDuplicate)
  }

  private mutating func failed(_ text: ServerText, _ now: Int64) {
    let error = text.error
    guard case .server(let code, _, let wait) = error else { return }
    let pause = wait.map { max(1, $0.milliseconds) }
    guard let id = text.id else { return events.append(.refusal(error)) }
    if let room = rooms.first(where: { $0.value.isAsked(id) })?.key {
      return failedJoin(room, error, code, pause, now)
    }
    guard let request = requests.items.first(where: { $0.id == id }) else { return }
    switch (code, pause) {
    case ("RATE_LIMITED", _): requests.slowDown(id, until: now + (pause ?? 1_000))
    case ("RELAY_UNAVAILABLE", let pause?) where request.kind != .direct:
      requests.repeatLater(id, until: now + pause)
    default:
      _ = requests.take(id)
      answer(request.ticket, .failure(error))
    }
  }

  private mutating func failedJoin(
    _ room: String, _ error: ClientError, _ code: String, _ pause: Int64?, _ now: Int64
  ) {
    if code == "RATE_LIMITED" || code == "RELAY_UNAVAILABLE" {
      rooms[room]?.askAgain(at: now + (pause ?? 1_000))
      return
    }
    guard let track = rooms.removeValue(forKey: room) else { return }
    for ticket in track.tickets { answer(ticket, .failure(error)) }
    if track.isKnown { events.append(.expelled(room: room, error)) }
  }
}

extension Duration {
  /// Whole milliseconds, cut.
  var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
