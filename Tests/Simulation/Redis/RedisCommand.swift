/// One command as it came: words of bytes.
struct RedisCommand {
  let words: [[UInt8]]

  var name: String { words[0].text.uppercased() }
  func text(_ index: Int) -> String { index < words.count ? words[index].text : "" }
  func number(_ index: Int) -> Int { Int(text(index)) ?? 0 }
}

extension [UInt8] {
  var text: String { String(decoding: self, as: UTF8.self) }
}

/// Cuts a connection's bytes into commands (RESP: `*<words>`, then `$<bytes>` and a word each).
struct RedisCommandReader {
  private var bytes: [UInt8] = []
  private var start = 0

  mutating func feed(_ more: [UInt8]) {
    if start > 0 {
      bytes.removeFirst(start)
      start = 0
    }
    bytes += more
  }

  /// The next whole command, if it is there. What is no command stops the simulation: only our own relay talks here.
  mutating func next() -> RedisCommand? {
    var index = start
    guard let count = header("*", &index) else { return nil }
    var words: [[UInt8]] = []
    words.reserveCapacity(count)
    for _ in 0..<count {
      guard let length = header("$", &index), index + length + 2 <= bytes.count else { return nil }
      words.append(Array(bytes[index..<(index + length)]))
      index += length + 2
    }
    start = index
    return RedisCommand(words: words)
  }

  private func header(_ mark: Character, _ index: inout Int) -> Int? {
    guard index < bytes.count else { return nil }
    precondition(bytes[index] == mark.asciiValue, "the relay spoke nonsense")
    var (number, place) = (0, index + 1)
    while place < bytes.count, bytes[place] != UInt8(ascii: "\r") {
      number = number * 10 + Int(bytes[place] - UInt8(ascii: "0"))
      place += 1
    }
    guard place + 1 < bytes.count else { return nil }
    index = place + 2
    return number
  }
}
