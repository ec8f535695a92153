import Buffers

/// The part of a frame before its payload (RFC 6455, section 5.2).
///
///      0               1               2 … 3 or 2 … 9            + 4
///     +-+-+-+-+-------+-+-------------+------------------------+----------+
///     |F|R|R|R| opcode|M| length 0-125| length, when the seven | mask key |
///     |I|S|S|S|       |A| 126: 16 bit | bits say 126 or 127,   | when     |
///     |N|V|V|V|       |S| 127: 64 bit | in network order       | MASK = 1 |
///     +-+-+-+-+-------+-+-------------+------------------------+----------+
struct FrameHeader: Equatable {
  var isFinal: Bool
  /// RSV1: the message is compressed (RFC 7692 section 6). Only on the first frame of a message.
  var isCompressed: Bool
  var opcode: Opcode
  /// As on the wire, its first byte lowest; 0, which changes nothing, in frames without mask.
  var maskKey: UInt32
  var payloadBytes: Int
  /// The header's own size: 2 to 14.
  var byteCount: Int

  /// Whether its frame is a whole message by itself.
  var isMessage: Bool { isFinal && (opcode == .text || opcode == .binary) }

  /// Reads the header that starts at `offset`; nil when it is not complete. What the first two bytes already
  /// show to be wrong is thrown at once.
  ///
  /// - Parameters:
  ///   - masked: Whether the peer must mask (it is a client) or must not (it is a server).
  ///   - takesCompressed: Whether permessage-deflate was agreed on.
  @inline(__always)
  init?(
    _ bytes: borrowing RawSpan, at offset: Int, masked: Bool, takesCompressed: Bool
  ) throws(ProtocolViolation) {
    let available = bytes.byteCount &- offset
    guard available >= 2 else { return nil }
    let start = bytes.bigEndian16(at: offset)
    let (first, second) = (UInt8(start >> 8), UInt8(truncatingIfNeeded: start))
    guard first & 0x70 == 0 || (first & 0x70 == 0x40 && takesCompressed) else { throw .reservedBits }
    guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .reservedOpcode }
    isCompressed = first & 0x40 != 0
    guard !isCompressed || opcode == .text || opcode == .binary else { throw .reservedBits }
    guard (second & 0x80 != 0) == masked else { throw masked ? .unmaskedFrame : .maskedFrame }
    isFinal = first & 0x80 != 0
    self.opcode = opcode
    let shortLength = second & 0x7F
    if opcode.isControl {
      guard isFinal else { throw .fragmentedControlFrame }
      guard shortLength <= 125 else { throw .longControlFrame }
    }
    switch shortLength {
    case 126:
      guard available >= 4 else { return nil }
      payloadBytes = Int(bytes.bigEndian16(at: offset &+ 2))
      guard payloadBytes > 125 else { throw .nonMinimalLength }
      byteCount = 4
    case 127:
      guard available >= 10 else { return nil }
      guard let length = Int(exactly: bytes.bigEndian64(at: offset &+ 2)) else { throw .impossibleLength }
      guard length > 0xFFFF else { throw .nonMinimalLength }
      payloadBytes = length
      byteCount = 10
    default:
      payloadBytes = Int(shortLength)
      byteCount = 2
    }
    maskKey = 0
    guard masked else { return }
    guard available >= byteCount &+ 4 else { return nil }
    maskKey = bytes.littleEndian32(at: offset &+ byteCount)
    byteCount &+= 4
  }
}
