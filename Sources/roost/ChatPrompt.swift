import RoostClient

/// The last line of a chat's screen: the room, who types there, and what is being typed here.
struct ChatPrompt {
  /// Of those who type, so many are remembered.
  private static let mostTypists = 32

  private struct Typist: Equatable {
    let room: String
    let user: RoomUser
  }

  /// Whether it is on the screen.
  var isShown = false
  var room: String?
  var editor = LineEditor()
  var notice = TypingNotice()
  private var typists: [Typist] = []

  mutating func type(_ user: RoomUser, in room: String, isTyping: Bool) {
    let typist = Typist(room: room, user: user)
    typists.removeAll { $0.room == room && $0.user.id == user.id }
    if isTyping, typists.count < Self.mostTypists { typists.append(typist) }
  }

  /// Nobody says any more when they stop.
  mutating func forgetTypists() { typists = [] }

  /// What is typed is going to be said.
  func isMessage(isRaw: Bool) -> Bool {
    if case .say = ChatLine(String(editor.text), isRaw: isRaw) { !editor.text.isEmpty } else { false }
  }

  /// The line with a sent text, which stays on the screen.
  func said(_ line: String) -> String { "\(name)> \(Terminal.harmless(line))" }

  /// Draws it on one row of so many columns, from wherever the cursor is on that row.
  func drawn(_ columns: Int, isColoured: Bool) -> String {
    // Half of the row is for what is typed.
    let head = Columns.cut(name, to: columns / 2 - 2)
    let others = Columns.of(head) + Columns.of(typing) + 2 <= columns / 2 ? typing : ""
    let before = Columns.of(head) + Columns.of(others) + 2
    let (shown, place) = window(max(1, columns - before - 1))
    let line = head + Terminal.styled(others, .dim, isColoured && !others.isEmpty) + "> " + shown
    return "\r\u{1B}[K\(line)\r\u{1B}[\(before + place)C"
  }

  private var name: String { room ?? "no room" }

  private var typing: String {
    let names = typists.filter { $0.room == room }.map { Columns.cut(Terminal.harmless($0.user.name), to: 20) }
    switch names.count {
    case 0: return ""
    case 1: return " (\(names[0]) is typing)"
    case 2: return " (\(names[0]) and \(names[1]) are typing)"
    default: return " (\(names.count) are typing)"
    }
  }

  /// The part of the text around the cursor that fits, and the cursor's column in it.
  private func window(_ columns: Int) -> (text: String, cursor: Int) {
    let cells = editor.text.map { character in
      let text = Terminal.harmless(String(character))
      return (text: text, width: Columns.of(text))
    }
    var start = 0
    var place = cells[..<editor.cursor].reduce(0) { $0 + $1.width }
    while place > columns {
      place -= cells[start].width
      start += 1
    }
    var (shown, width) = ("", 0)
    for cell in cells[start...] {
      width += cell.width
      guard width <= columns else { break }
      shown += cell.text
    }
    return (shown, place)
  }
}
