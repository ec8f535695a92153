import Buffers

extension Hub {
  /// How long a message may wait for the relay before its sender is told, in milliseconds.
  static var publishPatience: Int64 { 5_000 }

  mutating func send(_ connection: ConnectionID, _ name: RoomName, _ text: ClientText, now: Now) {
    guard let user = user(of: connection) else { return }
    guard let number = roomNumbers[name], connections[connection]!.rooms.contains(number) else {
      return refuse(connection, .notInRoom, id: Array(text.bytes[text.id]))
    }
    // Also what is said on the way in counts, or it could be any amount.
    guard maySend(user, connection, id: text.bytes[text.id], now: now) else { return }
    if isOnItsWay(connection, into: number) { return sendEarly(connection, room: number, text) }
    accept(text, from: connection, user: user, into: number, now: now)
  }

  /// A member may say it: it waits for the relay from here on.
  mutating func accept(
    _ text: ClientText, from connection: ConnectionID, user: UserNumber, into number: RoomNumber, now: Now
  ) {
    if settleDegraded(text, from: connection, user: user, in: number, now: now) { return }
    guard pendingMessages < configuration.outboxMessages, pendingBytes < configuration.outboxBytes else {
      return refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: Array(text.bytes[text.id]))
    }
    put(text, from: connection, user: user, into: number, now: now)
  }

  /// The user's rate: tells the client, or closes on one who goes on regardless.
  mutating func maySend(
    _ user: UserNumber, _ connection: ConnectionID, id: some Collection<UInt8>, now: Now
  ) -> Bool {
    guard let rate = configuration.rate else { return true }
    let answer = users[user].rate.message(at: now.monotonic * 1_000_000, rate: rate)
    guard answer != .allowed else { return true }
    slowDown(connection, answer, id: Array(id))
    return false
  }

  /// The client asks for more than it may have waiting.
  mutating func refuseMore(_ user: UserNumber, _ connection: ConnectionID, id: [UInt8], now: Now) {
    var answer = UserRate.Answer.refused(retryAfterMilliseconds: 1_000)
    if let rate = configuration.rate {
      answer = users[user].rate.refuse(retryAfterMilliseconds: 1_000, at: now.monotonic * 1_000_000, rate: rate)
    }
    slowDown(connection, answer, id: id)
  }

  private mutating func slowDown(_ connection: ConnectionID, _ answer: UserRate.Answer, id: [UInt8]) {
    switch answer {
    case .allowed: break
    case .refused(let wait): refuse(connection, .rateLimited(retryAfterMilliseconds: wait), id: id)
    case .close: output.actions.append(.close(connection, .rateLimitIgnored))
    }
  }

  /// What is said on the way in is kept with whoever goes in.
  private mutating func sendEarly(_ connection: ConnectionID, room number: RoomNumber, _ text: ClientText) {
    let isFull = updateEntrant(connection, room: number) { entrant in
      guard entrant.early.count < 64 else { return true }
      entrant.early.append(text)
      return false
    }
    if isFull { refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: Array(text.bytes[text.id])) }
  }

  private mutating func put(
    _ text: ClientText, from connection: ConnectionID, user: UserNumber, into number: RoomNumber, now: Now
  ) {
    let identity = users[user].identity
    let envelope = envelope(text, sender: identity, origin: connection, room: number, now: now)
    let message = StoredMessage(envelope: envelope, sender: identity.user, origin: connection)
    let pending = PendingPublication(
      message: message, connection: connection, clientID: Array(text.bytes[text.id]),
      deadline: now.monotonic + Self.publishPatience, acceptedAt: now.nanoseconds)
    put(pending, into: number)
  }

  /// It waits for the relay from here on.
  mutating func put(_ pending: PendingPublication, into number: RoomNumber) {
    pendingMessages += 1
    pendingBytes += pending.message.envelope.text.count
    if rooms[number].outbox == nil { rooms[number].outbox = Outbox() }
    rooms[number].outbox!.append(pending)
    mark(number)
  }

  /// A client's words as a message of the room, with an id of their own.
  mutating func envelope(
    _ text: ClientText, sender: Identity, origin: ConnectionID, room number: RoomNumber, now: Now
  ) -> RelayEnvelope {
    messageCounter += 1
    let (name, stamp) = (rooms[number].name, stamp(now))
    let bytes = unsafe text.bytes.span.bytes
    return RelayEnvelope.message(
      room: name, payload: bytes.extracting(text.payload), sender: sender, timestamp: stamp,
      id: MessageID(incarnation: configuration.instance, counter: UInt(messageCounter)),
      clientID: bytes.extracting(text.id), origin: origin, scratch: &scratch)
  }

  /// Sends what waits, all together, unless a request is on its way or has just failed.
  mutating func publishWaiting(_ number: RoomNumber, now: Now) {
    guard rooms[number].outbox?.isAsked == false, rooms[number].outbox?.isIdle == false else { return }
    for pending in rooms[number].outbox!.takeFinished(now: now.monotonic) {
      release(pending)
      // What was said may still run: the outcome is unknown.
      if !pending.isDone { giveUp(pending) }
    }
    guard rooms[number].outbox!.retryAt <= now.monotonic else { return }
    let publications = rooms[number].outbox!.nextRequest(limit: RelayLimits.publicationsPerRequest)
    if !publications.isEmpty { ask(.publish(rooms[number].name, publications), .publish(number)) }
  }

  mutating func published(_ number: RoomNumber, _ reply: RelayReply, now: Now) {
    guard rooms.isInUse(number), rooms[number].outbox != nil else { return }
    guard case .published(let outcomes) = reply, outcomes.count == rooms[number].outbox!.inFlight.count else {
      let attempt = rooms[number].outbox!.failed(now: now.monotonic)
      counters.relayFailures += 1
      // A new generation is known already and wants the messages at once; anything else needs a moment.
      if case .failed(.staleGeneration) = reply { return mark(number) }
      return rooms[number].outbox!.retry(at: roomRetries.append(number, attempt: attempt, now: now.monotonic))
    }
    mark(number)
    let isRetry = rooms[number].outbox!.attempts > 1
    for (pending, outcome) in zip(rooms[number].outbox!.answered(), outcomes) {
      release(pending)
      if pending.isDone { continue }
      counters.relayLatency.observe(nanoseconds: now.nanoseconds - pending.acceptedAt)
      if outcome.isDuplicate {
        duplicate(pending, at: outcome.position, isRetry: isRetry, room: number, now: now)
      } else {
        counters.published += 1
        let name = rooms[number].name
        if pending.isBackend { tellPublished(pending, at: outcome.position, isDuplicate: false, in: name) }
        arrive(pending.message, at: outcome.position, room: number, now: now)
      }
    }
  }

  /// A copy of one of our messages came back. Rule 7 of the design: it cancels the retry.
  mutating func confirm(_ message: StoredMessage, at place: Position, room number: RoomNumber, now: Now) {
    guard message.origin != nil || message.isBackend, rooms[number].outbox?.inFlight.isEmpty == false,
      let pending = rooms[number].outbox!.confirm(hash: message.hash)
    else { return }
    counters.relayLatency.observe(nanoseconds: now.nanoseconds - pending.acceptedAt)
    guard pending.isBackend else { return }
    tellPublished(pending, at: place, isDuplicate: false, in: rooms[number].name)
  }

  /// Nobody knows what became of it.
  private mutating func giveUp(_ pending: PendingPublication) {
    guard !pending.isBackend else { return answer(pending.connection, .unavailable) }
    refuse(pending.connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: pending.clientID)
  }

  private mutating func duplicate(
    _ pending: PendingPublication, at place: Position, isRetry: Bool, room number: RoomNumber, now: Now
  ) {
    counters.duplicates += 1
    let known = rooms[number].stream.position
    if isRetry, let known, known.epoch != place.epoch || known.offset < place.offset {
      // Perhaps our own first try, which ran unseen: its copy brings the ack in its turn.
      rooms[number].stream.expect(place, now: now.monotonic)
      noteGap(number, now: now)
    }
    let name = rooms[number].name
    guard !pending.isBackend else { return tellPublished(pending, at: place, isDuplicate: true, in: name) }
    guard connections[pending.connection] != nil else { return }
    let text = write {
      ServerMessage.appendAck(
        room: name, offset: place.offset, epoch: place.epoch, messageID: RawSpan(), isDuplicate: true,
        id: unsafe pending.clientID.span.bytes, to: &$0)
    }
    output.actions.append(.text(pending.connection, text))
  }

  private mutating func release(_ pending: PendingPublication) {
    pendingMessages -= 1
    pendingBytes -= pending.message.envelope.text.count
  }
}
