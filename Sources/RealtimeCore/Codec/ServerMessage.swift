public import Buffers

/// What only one connection gets to read: each function appends one whole message.
///
/// An `id` is the client's own, as ``ClientMessage`` gave it: the contents of a JSON string. An empty span means
/// that the client gave none. What members of a room get is made by ``RelayEnvelope``.
public enum ServerMessage {
  /// Tells the client what was wrong.
  public static func appendError(_ mistake: ClientMistake, id: RawSpan = RawSpan(), to buffer: inout ByteBuffer) {
    buffer.openMessage("error")
    buffer.append(#","payload":{"code":""#)
    buffer.append(mistake.code.name)
    buffer.append(#"","message":"#)
    if case .unknownType(let type) = mistake {
      buffer.append(jsonString: "\(mistake.message)\(type)")
    } else {
      buffer.append(UInt8(ascii: "\""))
      buffer.append(mistake.message)
      buffer.append(UInt8(ascii: "\""))
    }
    if let wait = mistake.retryAfterMilliseconds {
      buffer.append(#","retry_after_ms":"#)
      buffer.append(decimal: wait)
    }
    buffer.append(UInt8(ascii: "}"))
    buffer.appendMember(id: id)
    buffer.append(UInt8(ascii: "}"))
  }

  /// The answer to `send_message`: stored at `offset` and handed to the relay.
  ///
  /// - Parameters:
  ///   - messageID: the server's id of the message, contents of a JSON string; empty when it is not known, because
  ///     another one was stored first.
  ///   - isDuplicate: the client's id was used before; `offset` is the first one's.
  public static func appendAck(
    room: RoomName, offset: Int, epoch: String, messageID: RawSpan, isDuplicate: Bool = false, id: RawSpan = RawSpan(),
    to buffer: inout ByteBuffer
  ) {
    buffer.openMessage("ack")
    buffer.appendMember(room: room)
    buffer.append(#","payload":{"epoch":"#)
    buffer.append(jsonString: epoch)
    if !messageID.isEmpty {
      buffer.append(#","message_id":""#)
      buffer.append(messageID)
      buffer.append(UInt8(ascii: "\""))
    }
    buffer.append(isDuplicate ? #","dup":true}"# : "}")
    buffer.appendMember(id: id)
    buffer.appendMember(offset: offset)
    buffer.append(UInt8(ascii: "}"))
  }

  /// The answer to `private`: how many connections were reached; `isPartial` when a node did not answer in time.
  public static func appendAck(recipients: Int, isPartial: Bool, id: RawSpan = RawSpan(), to buffer: inout ByteBuffer) {
    buffer.openMessage("ack")
    buffer.append(#","payload":{"recipients":"#)
    buffer.append(decimal: recipients)
    buffer.append(isPartial ? #","partial":true}"# : "}")
    buffer.appendMember(id: id)
    buffer.append(UInt8(ascii: "}"))
  }

  /// The answer to what has nothing more to say: `leave_room` with its room, `chat` without one.
  public static func appendAck(room: RoomName?, id: RawSpan = RawSpan(), to buffer: inout ByteBuffer) {
    buffer.openMessage("ack")
    if let room { buffer.appendMember(room: room) }
    buffer.appendMember(id: id)
    buffer.append(UInt8(ascii: "}"))
  }

  /// The answer to `refresh_token`.
  ///
  /// - Parameters:
  ///   - expiry: when the new token ends; `nil` for never.
  ///   - left: the rooms that it does not open.
  public static func appendAck(
    expiry: Timestamp?, left: [RoomName], id: RawSpan = RawSpan(), to buffer: inout ByteBuffer
  ) {
    buffer.openMessage("ack")
    buffer.append(#","payload":{"#)
    if let expiry {
      buffer.append(#""expires_at":""#)
      expiry.append(to: &buffer)
      buffer.append(#"","#)
    }
    buffer.append(#""left":["#)
    for (place, room) in left.enumerated() {
      buffer.append(place == 0 ? #"""# : #",""#)
      buffer.append(room.text)
      buffer.append(UInt8(ascii: "\""))
    }
    buffer.append("]}" as StaticString)
    buffer.appendMember(id: id)
    buffer.append(UInt8(ascii: "}"))
  }

  /// The answer to `ping`.
  public static func appendPong(timestamp: Timestamp, id: RawSpan = RawSpan(), to buffer: inout ByteBuffer) {
    buffer.openMessage("pong")
    buffer.appendMember(timestamp: timestamp)
    buffer.appendMember(id: id)
    buffer.append(UInt8(ascii: "}"))
  }
}
