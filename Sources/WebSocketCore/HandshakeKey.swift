public import Buffers

/// A `Sec-WebSocket-Key` (RFC 6455, sections 4.1 and 4.2.2): 16 bytes in 24 characters of base64.
public struct HandshakeKey: Sendable {
  private let text: InlineArray<24, UInt8>

  /// Takes the header's value as it was sent, without the spaces around it. Nil unless it is the one text that
  /// encodes some 16 bytes: 22 digits, of which the last carries two bits, and `==`.
  public init?(_ value: borrowing RawSpan) {
    guard value.byteCount == 24 else { return nil }
    for index in 0..<22 where Base64.value(value.byte(at: index)) == nil { return nil }
    guard let last = Base64.value(value.byte(at: 21)), last & 0x0F == 0 else { return nil }
    guard value.byte(at: 22) == UInt8(ascii: "="), value.byte(at: 23) == UInt8(ascii: "=") else { return nil }
    var text = InlineArray<24, UInt8>(repeating: 0)
    for index in 0..<24 { text[index] = value.byte(at: index) }
    self.text = text
  }

  /// A client's key: 16 random bytes, drawn anew for every connection.
  public init(random first: UInt64, _ second: UInt64) {
    let bytes = InlineArray<2, UInt64> { $0 == 0 ? first : second }
    var encoded = ByteBuffer()
    unsafe Base64.append(bytes.span.bytes, to: &encoded)
    text = InlineArray { encoded.bytes.byte(at: $0) }
  }

  /// Appends the 24 characters.
  public func append(to buffer: inout ByteBuffer) { unsafe buffer.append(text.span.bytes) }

  /// Appends the 28 characters of the `Sec-WebSocket-Accept` that answers this key.
  public func appendAccept(to buffer: inout ByteBuffer) {
    var question = ByteBuffer()
    append(to: &question)
    question.append("258EAFA5-E914-47DA-95CA-C5AB0DC85B11" as StaticString)
    let hash = sha1(question.bytes)
    unsafe Base64.append(hash.span.bytes, to: &buffer)
  }

  /// Whether `value` is the `Sec-WebSocket-Accept` that answers this key.
  public func isAnswered(by value: borrowing RawSpan) -> Bool {
    var answer = ByteBuffer()
    appendAccept(to: &answer)
    guard value.byteCount == answer.count else { return false }
    for index in 0..<answer.count where answer.bytes.byte(at: index) != value.byte(at: index) { return false }
    return true
  }
}
