import Buffers

/// Commands in Redis' wire form (RESP2): `*<words>`, then each word as `$<bytes>`.
///
/// Written here and not by hiredis' formatter, which needs an array of pointers and an allocation per command.
extension ByteBuffer {
  mutating func appendCommand(words: Int) {
    append(UInt8(ascii: "*"))
    append(decimal: words)
    append("\r\n" as StaticString)
  }

  mutating func appendWord(_ word: String) {
    appendWordLength(word.utf8.count)
    append(word)
    append("\r\n" as StaticString)
  }

  mutating func appendWord(_ word: [UInt8]) {
    appendWordLength(word.count)
    append(word)
    append("\r\n" as StaticString)
  }

  mutating func appendWord(_ number: Int) { appendWord(String(number)) }

  mutating func appendCommand(_ words: [String]) {
    appendCommand(words: words.count)
    for word in words { appendWord(word) }
  }

  private mutating func appendWordLength(_ count: Int) {
    append(UInt8(ascii: "$"))
    append(decimal: count)
    append("\r\n" as StaticString)
  }
}
