import HTTPCore
import RealtimeCore

// What callers write into bodies, paths and queries.
extension APICall {
  /// `{"token_id": …}` or `{"user_id": …}`, perhaps with `"until"`: what is to be revoked.
  ///
  /// - Parameter now: seconds since 1970.
  func revocation(now: Int64) throws(CallRefused) -> Revocation {
    let body = try CallBody(body, ["token_id", "user_id", "until"])
    let until = try Self.until(body.integer("until", "a time in whole seconds since 1970"), now: now)
    let ids = 1...Identity.userByteLimit
    let revocation: Revocation? =
      switch (try body.text("token_id", ids), try body.text("user_id", ids)) {
      case (let token?, nil): .token(token, until: until)
      case (nil, let user?): .user(user, issuedUntil: now, until: until)
      default: throw .bad("token_id or user_id is wanted, a string")
      }
    guard let revocation else { throw .bad("an id has 1 to 128 bytes") }
    return revocation
  }

  /// `{"reason": …}` or nothing: what the clients are told.
  func reason() throws(CallRefused) -> String {
    guard bodyBytes > 0 else { return "disconnected" }
    return try CallBody(body, ["reason"]).text("reason", 0...123) ?? "disconnected"
  }

  /// The node in the path; there is nothing to say in a body.
  func drainedNode() throws(CallRefused) -> String {
    if bodyBytes > 0 { _ = try CallBody(body, []) }
    return names[0]
  }

  /// How long a revocation is kept when its caller does not say, in seconds: 30 days.
  static let revocationSeconds: Int64 = 30 * 86_400

  private static func until(_ until: Int64?, now: Int64) throws(CallRefused) -> Int64 {
    guard let until else { return now + revocationSeconds }
    guard Revocation.moments.contains(until) else { throw .bad("until is a time in whole seconds since 1970") }
    guard until > now else { throw .bad("until is over") }
    return until
  }

  // MARK: Messages

  /// `{"room": …, "payload": …}`, perhaps with `"id"` and `"sender"`.
  func publication() throws(CallRefused) -> BackendWish {
    let body = try CallBody(body, ["room", "payload", "id", "sender"])
    guard let name = try body.text("room", 1...RoomName.byteLimit) else { throw .bad("room is wanted, a string") }
    let id = try body.text("id", 1...4 * ClientMessage.idLimit) ?? ""
    guard id.unicodeScalars.count <= ClientMessage.idLimit else { throw .bad("id has 1 to 64 characters") }
    return .publish(try Self.room(name), payload: try Self.payload(body), sender: try Self.sender(body), id: id)
  }

  /// `{"payload": …}`, perhaps with `"sender"`; or, for a notification, `{"title": …, "body": …}`.
  func broadcast() throws(CallRefused) -> BackendWish {
    let body = try CallBody(body, ["payload", "sender", "title", "body"])
    guard body.has("title") || body.has("body") else {
      return .chat(payload: try Self.payload(body), sender: try Self.sender(body))
    }
    guard body.value("payload") == nil, !body.has("sender") else { throw .bad("payload, or title and body") }
    return try Self.notification(body, to: nil)
  }

  /// `{"payload": …}`, perhaps with `"sender"`.
  func message() throws(CallRefused) -> BackendWish {
    let body = try CallBody(body, ["payload", "sender"])
    return .message(user: names[0], payload: try Self.payload(body), sender: try Self.sender(body))
  }

  /// `{"title": …, "body": …}`
  func notification() throws(CallRefused) -> BackendWish {
    try Self.notification(try CallBody(body, ["title", "body"]), to: names[0])
  }

  private static func notification(_ body: CallBody, to user: String?) throws(CallRefused) -> BackendWish {
    guard let title = try body.text("title", 1...BackendWish.titleBytes),
      let text = try body.text("body", 0...BackendWish.bodyBytes)
    else { throw .bad("title and body are wanted, strings") }
    return .notification(user: user, title: title, body: text)
  }

  private static func payload(_ body: CallBody) throws(CallRefused) -> [UInt8] {
    guard let payload = body.value("payload") else { throw .bad("payload is wanted") }
    guard payload.count <= BackendWish.payloadBytes else { throw .malformed(.contentTooLarge, "payload too large") }
    return payload
  }

  private static func sender(_ body: CallBody) throws(CallRefused) -> Identity? {
    guard let sender = try body.object("sender", ["id", "name"]) else { return nil }
    guard let user = try sender.text("id", 1...Identity.userByteLimit),
      let identity = Identity(user: user, name: try sender.text("name", 0...BackendWish.nameBytes) ?? "")
    else { throw .bad("sender has an id, a string") }
    return identity
  }

  // MARK: Questions

  func roomQuestion() throws(CallRefused) -> BackendWish { .room(try Self.room(names[0])) }

  func historyQuestion() throws(CallRefused) -> BackendWish {
    let limit = try number("limit", 1...JoinWish.historyLimit) ?? JoinWish.historyLimit
    let before = try number("before", 1...RelayLimits.highestNumber)
    return .history(try Self.room(names[0]), limit: limit, before: before)
  }

  func roomsQuestion() throws(CallRefused) -> BackendWish {
    let limit = try number("limit", 1...BackendWish.roomsLimit) ?? BackendWish.roomsLimit / 2
    let after: RoomName? = if let name = parameters["after"] { try Self.room(name) } else { nil }
    return .rooms(after: after, limit: limit)
  }

  private func number(_ name: String, _ range: ClosedRange<Int>) throws(CallRefused) -> Int? {
    guard let text = parameters[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw .bad("\(name) is a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func room(_ name: String) throws(CallRefused) -> RoomName {
    guard let room = RoomName(name) else { throw .bad("a room's name is [A-Za-z0-9._:-]{1,128}") }
    return room
  }
}
