/// A message from the server, sorted by its members.
struct ServerText {
  private(set) var type = ""
  private(set) var room: String?
  private(set) var payload: JSONText?
  private(set) var sender: RoomUser?
  private(set) var timestamp = ""
  private(set) var id: String?
  private(set) var offset: Int?
  private(set) var clientID: String?

  /// `nil` when it is not one JSON object with a type.
  init?(_ bytes: [UInt8]) {
    guard let json = JSONText(bytes) else { return nil }
    self.init(json)
  }

  init?(_ json: JSONText) {
    for (name, value) in json.members {
      switch name {
      case "type": type = value.string ?? ""
      case "room": room = value.string
      case "payload": payload = value
      case "sender": sender = RoomUser(value)
      case "timestamp": timestamp = value.string ?? ""
      case "id": id = value.string
      case "offset": offset = value.integer
      case "client_id": clientID = value.string
      default: break
      }
    }
    guard !type.isEmpty else { return nil }
    if room == nil { room = payload?["room_id"]?.string }
  }

  // MARK: As what it is

  /// As a `new_message`.
  var message: RoomMessage? {
    guard let room, let payload else { return nil }
    return RoomMessage(
      room: room, offset: offset, id: id ?? "", sender: sender, payload: payload, timestamp: timestamp,
      clientID: clientID)
  }

  /// As a `private` or `chat`.
  var direct: DirectMessage? {
    payload.map { DirectMessage(sender: sender, payload: $0, timestamp: timestamp) }
  }

  /// As an `error`.
  var error: ClientError {
    let wait = payload?["retry_after_ms"]?.integer.map { Duration.milliseconds(min(max($0, 0), 3_600_000)) }
    return .server(
      code: payload?["code"]?.string ?? "", message: payload?["message"]?.string ?? "", retryAfter: wait)
  }

  /// As a `room_info` or `resync`.
  var position: Position? {
    guard let epoch = payload?["epoch"]?.string, let offset = payload?["offset"]?.integer, offset >= 0 else {
      return nil
    }
    return Position(epoch: epoch, offset: offset)
  }

  /// As what lists users.
  var members: RoomMembers? {
    guard let room, let payload else { return nil }
    let users = (payload["users"]?.elements ?? []).compactMap { RoomUser($0) }
    return RoomMembers(room: room, users: users, count: payload["count"]?.integer ?? users.count)
  }

  /// As a `history`.
  var history: RoomHistory? {
    guard let room, let messages = payload?["messages"] else { return nil }
    return RoomHistory(
      room: room, epoch: payload?["epoch"]?.string ?? "",
      messages: messages.elements.compactMap { ServerText($0)?.message })
  }
}
