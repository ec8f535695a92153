/// What a line of a chat wants.
enum ChatLine: Equatable {
  case say(String)
  case join(String)
  case leave(String?)
  case turn(to: String)
  case rooms
  case who(String?)
  case history(Int)
  case tell(user: String, String)
  case help
  case quit
  /// Nothing stands in it.
  case nothing
  /// It cannot be understood; in words.
  case mistake(String)

  /// - Parameter isRaw: every line is said as it is.
  init(_ line: String, isRaw: Bool) {
    guard !isRaw else {
      self = .say(line)
      return
    }
    guard line.hasPrefix("/"), !line.hasPrefix("//") else {
      let isEmpty = line.allSatisfy(\.isWhitespace)
      self = isEmpty ? .nothing : .say(line.hasPrefix("//") ? String(line.dropFirst()) : line)
      return
    }
    let words = line.split(separator: " ", maxSplits: 1).map(String.init)
    let rest = words.count > 1 ? words[1].trimmingSpaces : ""
    self = Self.command(words[0], rest)
  }

  private static func command(_ word: String, _ rest: String) -> ChatLine {
    switch word {
    case "/join": return rest.isEmpty ? .mistake("/join ROOM") : .join(rest)
    case "/leave": return .leave(rest.isEmpty ? nil : rest)
    case "/room": return rest.isEmpty ? .mistake("/room ROOM") : .turn(to: rest)
    case "/rooms": return .rooms
    case "/who": return .who(rest.isEmpty ? nil : rest)
    case "/history":
      guard let count = rest.isEmpty ? 20 : Int(rest), (1...100).contains(count) else {
        return .mistake("/history [1 to 100]")
      }
      return .history(count)
    case "/to":
      let parts = rest.split(separator: " ", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return .mistake("/to USER TEXT") }
      return .tell(user: parts[0], parts[1])
    case "/help", "/?": return .help
    case "/quit", "/exit": return .quit
    default: return .mistake("there is no \(word); /help names what there is, and // says a line that begins with /")
    }
  }

  static let explanation = """
    /join ROOM      enter a room and talk there      /who [ROOM]    who is there
    /leave [ROOM]   leave it                         /history [N]   its last messages
    /room ROOM      talk in another joined room      /to USER TEXT  for this user alone
    /rooms          the rooms you are in             /quit
    """
}

extension String {
  /// Without spaces at both ends.
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
