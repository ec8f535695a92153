public import Buffers

extension ServerMessage {
  /// Where a fresh or returning member stands in a room.
  public struct Standing: Equatable, Sendable {
    public let epoch: String
    /// The offset right before the first numbered message that follows on this connection.
    public let offset: Int
    /// Whether all that was missed follows; `nil` when the client did not ask.
    public let recovered: Bool?
    /// Why not, when `recovered` is false, such as `too_far`.
    public let reason: StaticString?

    public init(epoch: String, offset: Int, recovered: Bool? = nil, reason: StaticString? = nil) {
      self.epoch = epoch
      self.offset = offset
      self.recovered = recovered
      self.reason = reason
    }

    public static func == (left: Self, right: Self) -> Bool {
      left.epoch == right.epoch && left.offset == right.offset && left.recovered == right.recovered
        && left.reason?.description == right.reason?.description
    }
  }

  /// The answer to `join_room`.
  ///
  /// - Parameters:
  ///   - users: the users to name, which may be fewer than there are.
  ///   - count: how many there are.
  public static func appendRoomInfo(
    room: RoomName, users: [Identity], count: Int, standing: Standing, timestamp: Timestamp, id: RawSpan = RawSpan(),
    to buffer: inout ByteBuffer
  ) {
    buffer.openMessage("room_info")
    buffer.appendMember(room: room)
    buffer.openRoomPayload(room)
    buffer.appendRoster(users, count: count)
    buffer.append(#","epoch":"#)
    buffer.append(jsonString: standing.epoch)
    buffer.appendMember(offset: standing.offset)
    if let recovered = standing.recovered { buffer.append(recovered ? #","recovered":true"# : #","recovered":false"#) }
    if let reason = standing.reason { buffer.appendReason(reason) }
    buffer.append(UInt8(ascii: "}"))
    buffer.appendMember(timestamp: timestamp)
    buffer.appendMember(id: id)
    buffer.append(UInt8(ascii: "}"))
  }

  /// The answer to `online_users`; `users` may be fewer than `count`.
  public static func appendOnlineUsers(
    room: RoomName, users: [Identity], count: Int, timestamp: Timestamp, id: RawSpan = RawSpan(),
    to buffer: inout ByteBuffer
  ) {
    buffer.openMessage("online_users")
    buffer.appendMember(room: room)
    buffer.openRoomPayload(room)
    buffer.appendRoster(users, count: count)
    buffer.append(UInt8(ascii: "}"))
    buffer.appendMember(timestamp: timestamp)
    buffer.appendMember(id: id)
    buffer.append(UInt8(ascii: "}"))
  }

  /// In a big room: how many users it has now.
  public static func appendPresenceSync(
    room: RoomName, count: Int, timestamp: Timestamp, to buffer: inout ByteBuffer
  ) {
    buffer.openMessage("presence_sync")
    buffer.appendMember(room: room)
    buffer.openRoomPayload(room)
    buffer.append(#","count":"#)
    buffer.append(decimal: count)
    buffer.append(UInt8(ascii: "}"))
    buffer.appendMember(timestamp: timestamp)
    buffer.append(UInt8(ascii: "}"))
  }

  /// What was missed cannot be replayed; the client goes on from here. `reason` is such as `epoch_changed`.
  public static func appendResync(
    room: RoomName, epoch: String, offset: Int, reason: StaticString, timestamp: Timestamp,
    to buffer: inout ByteBuffer
  ) {
    buffer.openMessage("resync")
    buffer.appendMember(room: room)
    buffer.openRoomPayload(room)
    buffer.append(#","epoch":"#)
    buffer.append(jsonString: epoch)
    buffer.appendMember(offset: offset)
    buffer.appendReason(reason)
    buffer.append(UInt8(ascii: "}"))
    buffer.appendMember(timestamp: timestamp)
    buffer.append(UInt8(ascii: "}"))
  }
}

extension ByteBuffer {
  /// `,"payload":{"room_id":"…"`
  fileprivate mutating func openRoomPayload(_ room: RoomName) {
    append(#","payload":{"room_id":""#)
    append(room.text)
    append(UInt8(ascii: "\""))
  }

  /// `,"users":[…],"count":…`
  fileprivate mutating func appendRoster(_ users: [Identity], count: Int) {
    append(#","users":["#)
    for (place, user) in users.enumerated() {
      if place > 0 { append(UInt8(ascii: ",")) }
      append(user: user)
    }
    append(#"],"count":"#)
    append(decimal: count)
  }

  fileprivate mutating func appendReason(_ reason: StaticString) {
    append(#","reason":""#)
    append(reason)
    append(UInt8(ascii: "\""))
  }
}
