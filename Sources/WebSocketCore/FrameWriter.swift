public import Buffers

/// Writes frames to the end of a buffer (RFC 6455, section 5.2), lengths always in the shortest form.
///
/// A client passes a mask key, fresh from a random source for every frame; a server passes none. The key is the
/// number whose lowest byte goes on the wire first.
public enum FrameWriter {
  /// The longest payload of a control frame, and of a close reason with its code.
  public static let controlBytes = 125

  /// The size of an unmasked header in front of `payloadBytes`: 2, 4 or 10. A masked one has 4 more.
  public static func headerLength(forPayload payloadBytes: Int) -> Int {
    payloadBytes <= 125 ? 2 : payloadBytes <= 0xFFFF ? 4 : 10
  }

  /// The size of the header that `frame`, a whole one without mask, begins with.
  public static func headerLength(of frame: borrowing RawSpan) -> Int {
    switch frame.byte(at: 1) {
    case ...125: 2
    case 126: 4
    default: 10
    }
  }

  /// Only the header: `payloadBytes` bytes, masked with `key` when there is one, must be appended next.
  ///
  /// - Parameter isCompressed: The payload is, as RFC 7692 wants it; says so by RSV1.
  public static func appendHeader(
    _ opcode: Opcode, payloadBytes: Int, isFinal: Bool = true, isCompressed: Bool = false, key: UInt32? = nil,
    to buffer: inout ByteBuffer
  ) {
    precondition(payloadBytes >= 0)
    precondition(!opcode.isControl || (isFinal && payloadBytes <= controlBytes), "not a control frame")
    precondition(!isCompressed || opcode == .text || opcode == .binary, "not the first frame of a message")
    buffer.append((isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode.rawValue)
    let maskBit: UInt8 = key == nil ? 0 : 0x80
    switch payloadBytes {
    case ...125:
      buffer.append(maskBit | UInt8(payloadBytes))
    case ...0xFFFF:
      buffer.append(maskBit | 126)
      append(UInt64(payloadBytes), bytes: 2, to: &buffer)
    default:
      buffer.append(maskBit | 127)
      append(UInt64(payloadBytes), bytes: 8, to: &buffer)
    }
    if let key { append(UInt64(key.byteSwapped), bytes: 4, to: &buffer) }
  }

  /// A whole frame: a message (or, with `isFinal` false or ``Opcode/continuation``, a fragment), a ping or a pong.
  public static func append(
    _ opcode: Opcode, _ payload: borrowing RawSpan, isFinal: Bool = true, isCompressed: Bool = false,
    key: UInt32? = nil, to buffer: inout ByteBuffer
  ) {
    buffer.reserve(14 + payload.byteCount)
    appendHeader(
      opcode, payloadBytes: payload.byteCount, isFinal: isFinal, isCompressed: isCompressed, key: key, to: &buffer)
    let start = buffer.count
    buffer.append(payload)
    mask(from: start, key, &buffer)
  }

  /// A close frame. Without a code there is no reason either; a reason over 123 bytes is cut between characters.
  ///
  /// - Parameters:
  ///   - code: Must be ``CloseCode/isValidOnWire``.
  ///   - reason: Must be UTF-8.
  public static func appendClose(
    _ code: CloseCode?, reason: borrowing RawSpan, key: UInt32? = nil, to buffer: inout ByteBuffer
  ) {
    guard let code else {
      return appendHeader(.close, payloadBytes: 0, key: key, to: &buffer)
    }
    precondition(code.isValidOnWire, "this code stands for something that has no frame")
    let kept = wholeCharacters(of: reason, atMost: controlBytes - 2)
    appendHeader(.close, payloadBytes: 2 + kept, key: key, to: &buffer)
    let start = buffer.count
    append(UInt64(code.rawValue), bytes: 2, to: &buffer)
    buffer.append(reason.extracting(0..<kept))
    mask(from: start, key, &buffer)
  }

  public static func appendClose(
    _ code: CloseCode?, reason: String = "", key: UInt32? = nil, to buffer: inout ByteBuffer
  ) {
    appendClose(code, reason: unsafe reason.utf8Span.span.bytes, key: key, to: &buffer)
  }

  private static func mask(from start: Int, _ key: UInt32?, _ buffer: inout ByteBuffer) {
    guard let key else { return }
    var bytes = buffer.mutableBytes
    applyMask(key, to: &bytes, in: start..<bytes.byteCount)
  }

  /// The low `bytes` bytes of `number`, in network order.
  private static func append(_ number: UInt64, bytes: Int, to buffer: inout ByteBuffer) {
    for index in (0..<bytes).reversed() { buffer.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
  }

  private static func wholeCharacters(of text: borrowing RawSpan, atMost limit: Int) -> Int {
    guard text.byteCount > limit else { return text.byteCount }
    var end = limit
    while end > 0 && text.byte(at: end) & 0xC0 == 0x80 { end -= 1 }
    return end
  }
}
