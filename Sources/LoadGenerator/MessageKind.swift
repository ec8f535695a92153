import Buffers

/// What the `type` of a server's message says, as far as a measurement cares.
enum MessageKind {
  case ack, error, roomInfo, other

  init(_ message: borrowing RawSpan) {
    self = .other
    guard message.byteCount >= 16 else { return }
    for offset in 0...message.byteCount - 16 where message.bigEndian64(at: offset) == Self.key {
      self =
        switch message.bigEndian64(at: offset + 8) >> 32 {
        case Self.ackWord: .ack
        case Self.errorWord: .error
        case Self.roomWord: .roomInfo
        default: .other
        }
      return
    }
  }

  /// `"type":"` in network order, and the first four characters of what may follow.
  private static let key: UInt64 = 0x2274_7970_6522_3A22
  private static let ackWord: UInt64 = 0x61_63_6B_22
  private static let errorWord: UInt64 = 0x65_72_72_6F
  private static let roomWord: UInt64 = 0x72_6F_6F_6D
}
