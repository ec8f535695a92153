import Buffers
import RoostTesting
import WebSocketCore

@testable import RealtimeCore

/// Messages of a room's past with these offsets, for one client; every third is the client's own.
func past(_ offsets: ClosedRange<Int>, contentBytes: (Int) -> Int = { $0 % 300 }) -> Replay {
  var scratch = ByteBuffer()
  let messages = offsets.map { offset in
    let payload = Array("\"\(String(repeating: "p", count: contentBytes(offset)))\"".utf8)
    let sender = offset % 3 == 0 ? "me" : "other"
    let envelope = unsafe RelayEnvelope.message(
      room: RoomName("lobby")!, payload: payload.span.bytes, sender: Identity(user: sender),
      timestamp: Timestamp(milliseconds: 1_700_000_000_000), id: MessageID(incarnation: "n", counter: UInt(offset)),
      clientID: "own\(offset)".utf8Span.span.bytes, origin: nil, scratch: &scratch)
    return PastMessage(envelope: envelope, sender: sender, offset: offset)
  }
  return Replay(messages: messages[...], user: "me")
}

extension Replay {
  /// What the client gets, framed by the plain way: first the text, then its frame.
  var frames: [[UInt8]] {
    messages.map { message in
      var text = ByteBuffer()
      var frame = ByteBuffer()
      append(message, to: &text)
      FrameWriter.append(.text, text.bytes, to: &frame)
      return frame.array()
    }
  }
}
