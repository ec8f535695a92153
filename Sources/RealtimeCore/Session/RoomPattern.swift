/// Patterns over room names, as tokens carry them: `*` stands for any run of characters, also for none.
enum RoomPattern {
  static func matches(_ pattern: String, _ room: RoomName) -> Bool {
    matches(Array(pattern.utf8), Array(room.text.utf8))
  }

  /// Goes back to the last star only, so the worst case is the product of the lengths.
  private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
    var (place, index) = (0, 0)
    var retry: (place: Int, index: Int)?
    while index < text.count {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        retry = (place, index)
        place += 1
      } else if place < pattern.count, pattern[place] == text[index] {
        place += 1
        index += 1
      } else if let star = retry {
        retry = (star.place, star.index + 1)
        (place, index) = (star.place + 1, star.index + 1)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
