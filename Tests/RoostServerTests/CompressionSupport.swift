import RoostServer
import RoostTesting

/// Header lines with an offer to compress.
func offering(_ parameters: String = "") -> String {
  "Sec-WebSocket-Extensions: permessage-deflate\(parameters)\r\n"
}

/// A node that compresses.
func compressing(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> ServerConfiguration {
  configured {
    $0.compression.isEnabled = true
    change(&$0)
  }
}

/// Words of a chat, which become shorter when they are compressed.
func words(_ count: Int, seed: UInt64) -> String {
  var random = SeededGenerator(seed: seed)
  let words = ["the", "meeting", "is", "tomorrow", "at", "noon", "please", "review", "and", "deploy", "again"]
  return (0..<count).map { _ in words.randomElement(using: &random) ?? "" }.joined(separator: " ")
}

/// Characters that become only a quarter shorter.
func noise(_ count: Int, seed: UInt64) -> String {
  var random = SeededGenerator(seed: seed)
  let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-".utf8)
  return String(decoding: (0..<count).map { _ in letters[Int(random.next() & 63)] }, as: UTF8.self)
}

extension TestClient {
  /// One compressed frame as a client sends it.
  static func compressedFrame(_ text: String, opcode: UInt8 = 1) -> [UInt8] {
    frame(RawDeflate.compress(Array(text.utf8)), opcode: opcode, isCompressed: true)
  }
}

extension TestClient.Frame {
  /// What it says to a client with this window; nil when such a client cannot read it.
  func text(windowBits: Int) -> String? {
    guard isCompressed else { return text }
    return RawDeflate.restore(payload, windowBits: windowBits).map { String(decoding: $0, as: UTF8.self) }
  }
}
