import Buffers

/// Base64 with padding (RFC 4648, section 4): only what the handshake needs.
enum Base64 {
  /// Appends `bytes` as text.
  static func append(_ bytes: borrowing RawSpan, to buffer: inout ByteBuffer) {
    var place = 0
    while place < bytes.byteCount {
      let count = min(3, bytes.byteCount - place)
      var group: UInt32 = 0
      for index in 0..<3 { group = group << 8 | (index < count ? UInt32(bytes.byte(at: place + index)) : 0) }
      for index in 0..<4 {
        buffer.append(index <= count ? digit(group >> (18 - 6 * UInt32(index)) & 63) : UInt8(ascii: "="))
      }
      place += 3
    }
  }

  /// The number a digit stands for, nil when it is none.
  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }

  private static func digit(_ value: UInt32) -> UInt8 {
    let value = UInt8(value)
    return switch value {
    case ..<26: UInt8(ascii: "A") + value
    case ..<52: UInt8(ascii: "a") + value - 26
    case ..<62: UInt8(ascii: "0") + value - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }
}
