/// Patterns over room names, as tokens carry them: `*` stands for any run of characters, also for none.
enum RoomPattern {
  /// Goes back to the last star only, so the worst case is the product of the lengths. No memory is taken.
  static func matches(_ pattern: String, _ room: RoomName) -> Bool {
    let (pattern, text) = (pattern.utf8, room.text.utf8)
    var (place, index) = (pattern.startIndex, text.startIndex)
    var retry: (place: String.Index, index: String.Index)?
    while index < text.endIndex {
      if place < pattern.endIndex, pattern[place] == UInt8(ascii: "*") {
        place = pattern.index(after: place)
        retry = (place, index)
      } else if place < pattern.endIndex, pattern[place] == text[index] {
        place = pattern.index(after: place)
        index = text.index(after: index)
      } else if let star = retry {
        let next = text.index(after: star.index)
        retry = (star.place, next)
        (place, index) = (star.place, next)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
