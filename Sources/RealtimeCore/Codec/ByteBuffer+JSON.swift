public import Buffers

// The pieces of which all outgoing messages are made. Every message starts with `openMessage` and goes on in the
// order of the methods below: type, room, payload, sender, timestamp, id, then others.

extension ByteBuffer {
  /// `{"type":"…"`
  mutating func openMessage(_ type: StaticString) {
    append(#"{"type":""#)
    append(type)
    append(UInt8(ascii: "\""))
  }

  /// `,"room":"…"`
  mutating func appendMember(room: RoomName) {
    append(#","room":""#)
    append(room.text)
    append(UInt8(ascii: "\""))
  }

  /// `,"payload":…` with a payload that is JSON already.
  mutating func appendMember(payload: RawSpan) {
    append(#","payload":"#)
    append(payload)
  }

  /// `,"sender":{"id":"…","name":"…"}`
  mutating func appendMember(sender: Identity) {
    append(#","sender":"#)
    append(user: sender)
  }

  /// `,"timestamp":"…"`
  mutating func appendMember(timestamp: Timestamp) {
    append(#","timestamp":""#)
    timestamp.append(to: &self)
    append(UInt8(ascii: "\""))
  }

  /// `,"id":"…"` with the contents of a JSON string, or nothing when there are none.
  mutating func appendMember(id: RawSpan) {
    guard id.byteCount > 0 else { return }
    append(#","id":""#)
    append(id)
    append(UInt8(ascii: "\""))
  }

  /// `,"offset":…`
  mutating func appendMember(offset: Int) {
    append(#","offset":"#)
    append(decimal: offset)
  }

  /// `{"id":"…","name":"…"}`
  mutating func append(user: Identity) {
    append(#"{"id":"#)
    append(jsonString: user.user)
    append(#","name":"#)
    append(jsonString: user.name)
    append(UInt8(ascii: "}"))
  }

  /// A user id as the tutorial's clients expect it: a number when it is a decimal integer, else a string.
  mutating func append(numberOrString user: String) {
    if JSONNumber.isInteger(user) { append(user) } else { append(jsonString: user) }
  }

  /// `text` as a JSON string, quotes included.
  public mutating func append(jsonString text: String) {
    append(UInt8(ascii: "\""))
    // Native strings hand out their bytes; `utf8Span` would look for normal form first.
    let isDone: Void? = unsafe text.utf8.withContiguousStorageIfAvailable {
      appendEscaped(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0)))
    }
    if isDone == nil { appendEscaped(unsafe text.utf8Span.span.bytes) }
    append(UInt8(ascii: "\""))
  }

  private mutating func appendEscaped(_ bytes: RawSpan) {
    var written = 0
    var index = JSONString.skipPlain(bytes, from: 0)
    while index < bytes.byteCount {
      let byte = bytes.byte(index)
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        append(bytes.extracting(written..<index))
        append(escaped: byte)
        written = index &+ 1
      }
      index = JSONString.skipPlain(bytes, from: index &+ 1)
    }
    append(bytes.extracting(written..<bytes.byteCount))
  }

  private mutating func append(escaped byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
    case 0x0A: append(UInt8(ascii: "n"))
    case 0x0D: append(UInt8(ascii: "r"))
    case 0x09: append(UInt8(ascii: "t"))
    default:
      append(byte < 0x10 ? "u000" : "u001")
      append(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") + byte & 15 - 10)
    }
  }
}
