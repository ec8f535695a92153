/// A line that is being typed: keys in, text and cursor out. It knows no terminal.
struct LineEditor {
  enum Event: Equatable {
    /// The text or the cursor has changed, or nothing has.
    case edited
    /// It is complete, and the next one begins.
    case line(String)
    /// Nothing will be typed any more.
    case end
    /// The screen is to be cleared.
    case refresh
    /// There is no room for it, or nothing to do it to.
    case refused
  }

  /// Bytes of a line. A message may have as many unless the server has other limits.
  private static let longest = 4_096
  /// Lines that can be called back.
  private static let remembered = 100

  private(set) var text: [Character] = []
  /// Characters before it.
  private(set) var cursor = 0
  private var decoder = KeyDecoder()
  private var earlier: [String] = []
  /// Which of the earlier lines is shown; their count: the new one.
  private var shown = 0
  /// The new line, while an earlier one is shown.
  private var new: [Character] = []

  /// What this byte comes to; `nil`: it is a part of something.
  mutating func take(_ byte: UInt8) -> Event? {
    guard let key = decoder.next(byte) else { return nil }
    switch key {
    case .character(let scalar): return insert(scalar)
    case .enter: return finish()
    case .close where text.isEmpty: return .end
    case .delete, .close: return erase(cursor..<min(cursor + 1, text.count))
    case .backspace: return erase(max(0, cursor - 1)..<cursor)
    case .eraseToStart: return erase(0..<cursor)
    case .eraseToEnd: return erase(cursor..<text.count)
    case .eraseWord: return erase(startOfWord..<cursor)
    case .left: return move(to: cursor - 1)
    case .right: return move(to: cursor + 1)
    case .home: return move(to: 0)
    case .end: return move(to: text.count)
    case .up: return recall(shown - 1)
    case .down: return recall(shown + 1)
    case .refresh: return .refresh
    }
  }

  private mutating func insert(_ scalar: Unicode.Scalar) -> Event {
    guard String(text).utf8.count + UTF8.width(scalar) <= Self.longest else { return .refused }
    let added = Character(scalar)
    // Marks, and parts of pictures, belong to what stands before them.
    if cursor > 0, let joined = Self.join(text[cursor - 1], added) {
      text[cursor - 1] = joined
    } else {
      text.insert(added, at: cursor)
      cursor += 1
    }
    return .edited
  }

  private static func join(_ first: Character, _ second: Character) -> Character? {
    let both = String(first) + String(second)
    return both.count == 1 ? both.first : nil
  }

  private mutating func erase(_ range: Range<Int>) -> Event {
    guard !range.isEmpty else { return .refused }
    text.removeSubrange(range)
    cursor = range.lowerBound
    return .edited
  }

  private mutating func move(to place: Int) -> Event {
    guard (0...text.count).contains(place) else { return .refused }
    cursor = place
    return .edited
  }

  private var startOfWord: Int {
    var start = cursor
    while start > 0, text[start - 1] == " " { start -= 1 }
    while start > 0, text[start - 1] != " " { start -= 1 }
    return start
  }

  private mutating func recall(_ place: Int) -> Event {
    guard (0...earlier.count).contains(place) else { return .refused }
    if shown == earlier.count { new = text }
    shown = place
    text = place == earlier.count ? new : Array(earlier[place])
    cursor = text.count
    return .edited
  }

  private mutating func finish() -> Event {
    let line = String(text)
    if !line.isEmpty, line != earlier.last { earlier.append(line) }
    if earlier.count > Self.remembered { earlier.removeFirst() }
    (text, new, cursor, shown) = ([], [], 0, earlier.count)
    return .line(line)
  }
}
