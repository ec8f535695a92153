/// How many columns of a terminal text takes.
enum Columns {
  static func of(_ text: some Sequence<Character>) -> Int { text.reduce(0) { $0 + of($1) } }

  /// 0 to 2: marks take none, most of what East Asia writes and most pictures take two.
  static func of(_ character: Character) -> Int { character.unicodeScalars.map(of).max() ?? 0 }

  /// As much of the beginning of `text` as `columns` hold, with "…" for the rest.
  static func cut(_ text: String, to columns: Int) -> String {
    guard of(text) > columns else { return text }
    var (shown, width) = ("", 1)
    for character in text {
      width += of(character)
      guard width <= columns else { break }
      shown.append(character)
    }
    return columns > 0 ? shown + "…" : ""
  }

  private static func of(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    switch scalar.value {
    case 0x1160...0x11FF: return 0
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FC, 0x1F900...0x1F9FF,
      0x1FA70...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
