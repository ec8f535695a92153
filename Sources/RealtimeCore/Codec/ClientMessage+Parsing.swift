extension ClientMessage {
  /// Reads one message.
  ///
  /// `null` and the empty string count as "room not given"; a `null` id or recipient also counts as not given.
  /// `private`, `chat` and `ping` do not look at rooms at all.
  ///
  /// - Parameter payloadLimit: the most bytes a payload may have.
  public static func parse(_ bytes: RawSpan, payloadLimit: Int = .max) throws(Refusal) -> ClientMessage {
    let envelope: Envelope
    do { envelope = try Envelope(bytes) } catch { throw Refusal(mistake: ClientMistake(error), id: nil) }
    guard let id = identifier(envelope, bytes) else { throw Refusal(mistake: .invalidID, id: nil) }
    if let payload = envelope[.payload], payload.count > payloadLimit {
      throw Refusal(mistake: .payloadTooLarge, id: id)
    }
    do { return try message(envelope, bytes, id) } catch { throw Refusal(mistake: error, id: id) }
  }

  private enum Kind {
    case join, leave, send, typing, stopTyping, onlineUsers, history, `private`, chat, refreshToken, ping
  }

  private static func message(
    _ envelope: Envelope, _ bytes: RawSpan, _ id: Range<Int>?
  ) throws(ClientMistake) -> ClientMessage {
    guard let type = envelope.string(.type, in: bytes) else { throw .invalidFormat }
    switch kind(type, bytes) {
    case .send: return try .sendMessage(roomToSend(envelope, bytes), payload: payload(envelope), id: id)
    case .typing: return try .typing(room(envelope, bytes), isTyping: true, id: id)
    case .stopTyping: return try .typing(room(envelope, bytes), isTyping: false, id: id)
    case .join:
      let room = try roomOfObject(envelope, bytes)
      return try .joinRoom(room, JoinWish(payload: envelope[.payload], in: bytes), id: id)
    case .leave: return try .leaveRoom(roomOfObject(envelope, bytes), id: id)
    case .onlineUsers: return try .onlineUsers(roomOfObject(envelope, bytes), id: id)
    case .history:
      let room = try roomOfObject(envelope, bytes)
      let wish = try HistoryWish(payload: envelope[.payload], in: bytes)
      return .history(room, limit: wish.limit, before: wish.before, id: id)
    case .private: return try .private(recipient: recipient(envelope, bytes), payload: payload(envelope), id: id)
    case .chat: return try .chat(payload: payload(envelope), id: id)
    case .refreshToken: return try .refreshToken(tokenToTake(payload: envelope[.payload], in: bytes), id: id)
    case .ping: return .ping(id: id)
    case nil: throw ClientMistake(unknownType: type, in: bytes)
    }
  }

  private static func kind(_ type: JSONString, _ bytes: RawSpan) -> Kind? {
    if type.matches("send_message", in: bytes) { return .send }
    if type.matches("typing", in: bytes) { return .typing }
    if type.matches("stop_typing", in: bytes) { return .stopTyping }
    if type.matches("join_room", in: bytes) { return .join }
    if type.matches("leave_room", in: bytes) { return .leave }
    if type.matches("online_users", in: bytes) { return .onlineUsers }
    if type.matches("history", in: bytes) { return .history }
    if type.matches("private", in: bytes) { return .private }
    if type.matches("chat", in: bytes) { return .chat }
    if type.matches("ping", in: bytes) { return .ping }
    if type.matches("refresh_token", in: bytes) { return .refreshToken }
    return nil
  }

  /// Outer `nil`: an id that breaks the rules; inner `nil`: none given.
  private static func identifier(_ envelope: Envelope, _ bytes: RawSpan) -> Range<Int>?? {
    guard let value = envelope[.id], !bytes.holds("null", at: value) else { return .some(nil) }
    guard let string = JSONString(value: value, in: bytes), !string.contents.isEmpty else { return nil }
    // Up to the limit in bytes it cannot be over the limit in scalars; over 12 bytes each it cannot be below.
    if string.contents.count <= idLimit { return string.contents }
    guard string.contents.count <= 12 * idLimit, string.scalarCount(in: bytes) <= idLimit else { return nil }
    return string.contents
  }

  private static func givenRoom(_ envelope: Envelope, _ bytes: RawSpan) throws(ClientMistake) -> RoomName? {
    do { return try envelope.room(in: bytes) } catch { throw .invalidRoom }
  }

  private static func room(_ envelope: Envelope, _ bytes: RawSpan) throws(ClientMistake) -> RoomName {
    guard let room = try givenRoom(envelope, bytes) else { throw .invalidPayload }
    return room
  }

  private static func roomToSend(_ envelope: Envelope, _ bytes: RawSpan) throws(ClientMistake) -> RoomName {
    guard let room = try givenRoom(envelope, bytes) else { throw .missingRoom }
    return room
  }

  /// For types whose payload, when there is one, must be an object.
  private static func roomOfObject(_ envelope: Envelope, _ bytes: RawSpan) throws(ClientMistake) -> RoomName {
    if let payload = envelope[.payload], bytes.byte(payload.lowerBound) != UInt8(ascii: "{") { throw .invalidPayload }
    return try room(envelope, bytes)
  }

  private static func payload(_ envelope: Envelope) throws(ClientMistake) -> Range<Int> {
    guard let payload = envelope[.payload] else { throw .invalidPayload }
    return payload
  }

  private static func recipient(_ envelope: Envelope, _ bytes: RawSpan) throws(ClientMistake) -> String {
    guard let value = envelope[.recipient], let user = userID(value, bytes) else { throw .invalidPayload }
    return user
  }
}

/// The user id in `value`: a string of 1 to 128 bytes or an integer; `nil` when it is neither.
func userID(_ value: Range<Int>, _ bytes: RawSpan) -> String? {
  guard let string = JSONString(value: value, in: bytes) else {
    return JSONNumber.integer(bytes, value).map { String($0) }
  }
  guard 1...6 * Identity.userByteLimit ~= string.contents.count else { return nil }
  let text = string.text(in: bytes)
  return text.utf8.count <= Identity.userByteLimit ? text : nil
}
