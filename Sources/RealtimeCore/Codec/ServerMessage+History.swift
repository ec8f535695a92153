public import Buffers

extension ServerMessage {
  /// The answer to `history`: messages in order, each as a `new_message` of its own.
  ///
  /// - Parameter user: who asks; his own messages carry `client_id`.
  public static func appendHistory(
    room: RoomName, epoch: String, messages: ArraySlice<PastMessage>, user: String, timestamp: Timestamp,
    id: RawSpan = RawSpan(), to buffer: inout ByteBuffer
  ) {
    buffer.openMessage("history")
    buffer.appendMember(room: room)
    buffer.append(#","payload":{"room_id":""#)
    buffer.append(room.text)
    buffer.append(#"","epoch":"#)
    buffer.append(jsonString: epoch)
    buffer.append(#","messages":["#)
    let replay = Replay(messages: messages, user: user)
    for (place, message) in messages.enumerated() {
      if place > 0 { buffer.append(UInt8(ascii: ",")) }
      replay.append(message, to: &buffer)
    }
    buffer.append("]}" as StaticString)
    buffer.appendMember(timestamp: timestamp)
    buffer.appendMember(id: id)
    buffer.append(UInt8(ascii: "}"))
  }
}
