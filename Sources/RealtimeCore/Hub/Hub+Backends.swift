import Buffers

// What backends send and ask
//
// A backend has no connection of its own here: the one that asks is an HTTP request's, which the hub knows nothing of
// and answers once, by `HubAction.backend`. What backends send has no origin, so that nobody is spared it, and is not
// the words of a user even when it names one as its sender: its id is known among backends' ids alone, and no client
// can use it up.

/// How often backends may call this node.
struct BackendRates {
  private var messages = TokenBucket()
  private var questions = TokenBucket()

  /// Milliseconds to wait; `nil`: it may be done now.
  mutating func take(_ wish: BackendWish, _ configuration: HubConfiguration, now: Now) -> Int? {
    let isMessage = wish.isMessage
    guard let rate = isMessage ? configuration.backendMessages : configuration.backendQuestions else { return nil }
    let time = now.monotonic * 1_000_000
    let answer = isMessage ? messages.take(at: time, rate: rate) : questions.take(at: time, rate: rate)
    if case .refused(let wait) = answer { return wait }
    return nil
  }
}

extension Hub {
  mutating func serve(_ asker: ConnectionID, _ wish: BackendWish, now: Now) {
    if let wait = backendRates.take(wish, configuration, now: now) {
      return answer(asker, .tooOften(retryAfterMilliseconds: wait))
    }
    // A message may wait a moment for the relay; a question has nothing to wait for.
    guard wish.isMessage || relayState == .connected else { return answer(asker, .unavailable) }
    switch wish {
    case .publish(let room, let payload, let sender, let id):
      publish(room, payload, from: sender, id: id, for: asker, now: now)
    case .chat(let payload, let sender):
      let envelope = RelayEnvelope.chat(
        payload: unsafe payload.span.bytes, sender: sender, timestamp: stamp(now), node: configuration.instance,
        origin: nil, scratch: &scratch)
      spread(envelope, for: asker, now: now)
    case .message(let user, let payload, let sender):
      let envelope = RelayEnvelope.private(
        to: user, payload: unsafe payload.span.bytes, sender: sender, timestamp: stamp(now),
        node: configuration.instance, origin: nil, scratch: &scratch)
      spread(envelope, for: asker, now: now)
    case .notification(let user, let title, let body):
      let envelope = RelayEnvelope.notification(
        title: title, body: body, to: user, timestamp: stamp(now), node: configuration.instance, scratch: &scratch)
      spread(envelope, for: asker, now: now)
    case .rooms(let after, let limit): askNodes(.rooms(after: after, limit: limit), for: asker, now: now)
    case .user(let user): askNodes(.user(user), for: asker, now: now)
    case .nodes: askNodes(.nodes, for: asker, now: now)
    case .room(let room): ask(.read([(room, nil)]), .backendRoom(asker, room))
    case .history(let room, let limit, let before):
      tellPast(of: room, limit: limit, before: before, to: asker, now: now)
    }
  }

  mutating func answer(_ asker: ConnectionID, _ answer: BackendAnswer) {
    output.actions.append(.backend(asker, answer))
  }

  // MARK: Messages

  private mutating func publish(
    _ name: RoomName, _ payload: [UInt8], from sender: Identity?, id: String, for asker: ConnectionID, now: Now
  ) {
    guard !isDegraded, pendingMessages < configuration.outboxMessages, pendingBytes < configuration.outboxBytes else {
      return answer(asker, .unavailable)
    }
    let clientID = id.isEmpty ? [] : Self.contents(id)
    messageCounter += 1
    let envelope = RelayEnvelope.message(
      room: name, payload: unsafe payload.span.bytes, sender: sender, timestamp: stamp(now),
      id: MessageID(incarnation: configuration.instance, counter: UInt(messageCounter)),
      clientID: unsafe clientID.span.bytes, origin: nil, scratch: &scratch)
    guard isReadable(envelope) else { return answer(asker, .unreadable) }
    let pending = PendingPublication(
      message: StoredMessage(envelope: envelope, sender: StoredMessage.backend, origin: nil), connection: asker,
      clientID: clientID, deadline: now.monotonic + Self.publishPatience, acceptedAt: now.nanoseconds, isBackend: true)
    put(pending, into: roomNumbers[name] ?? addRoom(name))
  }

  /// A backend's message is stored, here.
  mutating func tellPublished(_ pending: PendingPublication, at place: Position, isDuplicate: Bool, in room: RoomName) {
    let id = isDuplicate ? "" : String(decoding: pending.message.envelope.messageID, as: UTF8.self)
    answer(pending.connection, .published(room, place, messageID: id, isDuplicate: isDuplicate))
  }

  private mutating func spread(_ envelope: RelayEnvelope, for asker: ConnectionID, now: Now) {
    guard isReadable(envelope) else { return answer(asker, .unreadable) }
    guard relayState == .connected else { return answer(asker, .unavailable) }
    let request = gatherings.begin(Gathering(asker: asker, purpose: .delivery), now: now)
    broadcast(envelope, version: request, .direct(request))
  }

  /// Whether nodes would take it, with the longest of what is still to be added to it.
  private mutating func isReadable(_ envelope: RelayEnvelope) -> Bool {
    let longest = String(repeating: "x", count: 64)
    scratch.removeAll()
    envelope.appendRelayFrame(to: &scratch, epoch: longest, offset: RelayLimits.highestNumber, token: longest)
    do { _ = try RelayFrame.parse(scratch.bytes) } catch { return false }
    return true
  }

  /// One text has one form, however the backend wrote it.
  private static func contents(_ id: String) -> [UInt8] {
    var text = ByteBuffer()
    text.append(jsonString: id)
    return text.array(1..<text.count - 1)
  }

  // MARK: Rooms

  /// The relay told where the room stands. One that it knows nothing of is not made by asking.
  mutating func backendRoomRead(_ asker: ConnectionID, _ name: RoomName, _ reply: RelayReply) {
    guard case .read(let reads) = reply, reads.count == 1 else { return answer(asker, .unavailable) }
    guard reads[0].top != nil else { return answer(asker, .found(BackendText.room(name, nil))) }
    ask(.roster(name), .backendRoster(asker, name))
  }

  mutating func backendRosterArrived(_ asker: ConnectionID, _ name: RoomName, _ reply: RelayReply) {
    guard case .roster(let roster) = reply else { return answer(asker, .unavailable) }
    answer(asker, .found(BackendText.room(name, roster)))
  }

  private mutating func tellPast(
    of name: RoomName, limit: Int, before: Int?, to asker: ConnectionID, now: Now
  ) {
    if let number = roomNumbers[name], !rooms[number].users.isEmpty,
      let past = rememberedPast(of: number, limit: limit, before: before, now: now)
    {
      return tellPast(of: name, epoch: past.epoch, past.messages, to: asker)
    }
    counters.pastReads += 1
    ask(.history(name, before: before, limit: limit), .backendHistory(asker, name))
  }

  mutating func backendHistoryArrived(_ asker: ConnectionID, _ name: RoomName, _ reply: RelayReply, now: Now) {
    guard case .history(let history) = reply else { return answer(asker, .unavailable) }
    let messages = past(of: history, now: now)
    tellPast(of: name, epoch: history.top?.epoch, messages, to: asker)
  }

  private mutating func tellPast(
    of name: RoomName, epoch: String?, _ messages: ArraySlice<PastMessage>, to asker: ConnectionID
  ) {
    guard historyBytes < Self.historyBytesPerTurn else {
      return answer(asker, .tooOften(retryAfterMilliseconds: 1_000))
    }
    let text = BackendText.history(name, epoch: epoch, messages)
    historyBytes += text.count
    answer(asker, .found(text))
  }
}
