/// What Redis answers.
indirect enum RedisReply {
  case ok
  case error(String)
  case integer(Int)
  case text([UInt8])
  case null
  case array([RedisReply])

  static func word(_ text: String) -> RedisReply { .text(Array(text.utf8)) }

  var isError: Bool { if case .error = self { true } else { false } }

  /// In Redis' wire form.
  func append(to bytes: inout [UInt8]) {
    switch self {
    case .ok: bytes += "+OK\r\n".utf8
    case .error(let words): bytes += "-\(words)\r\n".utf8
    case .integer(let number):
      bytes.append(UInt8(ascii: ":"))
      Self.append(number, to: &bytes)
    case .text(let text):
      bytes.append(UInt8(ascii: "$"))
      Self.append(text.count, to: &bytes)
      bytes += text
      bytes += "\r\n".utf8
    case .null: bytes += "$-1\r\n".utf8
    case .array(let items):
      bytes.append(UInt8(ascii: "*"))
      Self.append(items.count, to: &bytes)
      for item in items { item.append(to: &bytes) }
    }
  }

  private static func append(_ number: Int, to bytes: inout [UInt8]) {
    bytes += String(number).utf8
    bytes += "\r\n".utf8
  }
}
