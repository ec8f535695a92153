/// A JSON text to be written so that people can read it, members in order.
indirect enum JSONTree: Sendable {
  case object([(String, JSONTree)])
  case list([JSONTree])
  case text(String)
  case number(Int)
  case flag(Bool)

  /// The text, with a line end behind it.
  var pretty: String {
    var text = ""
    write(to: &text, depth: 0)
    return text + "\n"
  }

  /// Objects and lists that hold nothing but plain values, and are short, stay on one line.
  private func write(to text: inout String, depth: Int) {
    switch self {
    case .object(let members):
      if let line = oneLine { return text += line }
      text += "{"
      for (place, member) in members.enumerated() {
        text += (place > 0 ? ",\n" : "\n") + Self.indent(depth + 1) + Self.quoted(member.0) + ": "
        member.1.write(to: &text, depth: depth + 1)
      }
      text += "\n" + Self.indent(depth) + "}"
    case .list(let elements):
      if let line = oneLine { return text += line }
      text += "["
      for (place, element) in elements.enumerated() {
        text += (place > 0 ? ",\n" : "\n") + Self.indent(depth + 1)
        element.write(to: &text, depth: depth + 1)
      }
      text += "\n" + Self.indent(depth) + "]"
    case .text, .number, .flag: text += plain ?? ""
    }
  }

  private var plain: String? {
    switch self {
    case .text(let text): Self.quoted(text)
    case .number(let number): "\(number)"
    case .flag(let flag): "\(flag)"
    case .object(let members): members.isEmpty ? "{}" : nil
    case .list(let elements): elements.isEmpty ? "[]" : nil
    }
  }

  private var oneLine: String? {
    let line: String
    switch self {
    case .object(let members):
      let parts = members.compactMap { name, value in value.plain.map { "\(Self.quoted(name)): \($0)" } }
      guard parts.count == members.count else { return nil }
      line = members.isEmpty ? "{}" : "{ \(parts.joined(separator: ", ")) }"
    case .list(let elements):
      let parts = elements.compactMap(\.plain)
      guard parts.count == elements.count else { return nil }
      line = "[\(parts.joined(separator: ", "))]"
    case .text, .number, .flag: return plain
    }
    return line.utf8.count <= 90 ? line : nil
  }

  private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

  /// What is described is ours; only quotes and backslashes occur in it.
  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
