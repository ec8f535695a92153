/// Text as it stands between the quotes of a JSON string. Redis keeps users in this form, so that scripts can put
/// them into frames without escaping: one text has exactly one such form.
enum JSONText {
  static func escaped(_ text: String) -> String {
    guard text.utf8.contains(where: mustBeEscaped) else { return text }
    var escaped: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): escaped += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: escaped += Array("\\u00".utf8) + [digit(byte >> 4), digit(byte & 15)]
      default: escaped.append(byte)
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }

  /// The text again. What ``escaped(_:)`` cannot have written is kept as it is.
  static func unescaped(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
    let bytes = Array(text.utf8)
    var plain: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count {
        if mustBeEscaped(bytes[index + 1]) {
          plain.append(bytes[index + 1])
          index += 2
          continue
        }
        if let control = control(bytes[index...].prefix(6)) {
          plain.append(control)
          index += 6
          continue
        }
      }
      plain.append(bytes[index])
      index += 1
    }
    return String(decoding: plain, as: UTF8.self)
  }

  private static func mustBeEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

  /// The control character of `\u00xx`.
  private static func control(_ bytes: ArraySlice<UInt8>) -> UInt8? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.hasPrefix("\\u00"), bytes.count == 6, let value = UInt8(text.suffix(2), radix: 16) else { return nil }
    return value < 0x20 ? value : nil
  }
}
