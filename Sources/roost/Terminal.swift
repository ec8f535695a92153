import Glibc

/// What a terminal can do and what pipes cannot.
enum Terminal {
  static func isTerminal(_ descriptor: CInt) -> Bool { isatty(descriptor) == 1 }

  /// A terminal that understands escape sequences, where a line can be drawn anew.
  static func isClever(_ descriptor: CInt) -> Bool {
    isTerminal(descriptor) && !["", "dumb"].contains(Console.environment["TERM"] ?? "")
  }

  /// Where styles are shown: not in files and pipes, and not where somebody has set `NO_COLOR` (no-color.org).
  static func isColoured(_ descriptor: CInt) -> Bool {
    isClever(descriptor) && Console.environment["NO_COLOR"]?.isEmpty != false
  }

  /// Lines and columns of standard output; 24 and 80 when nobody says.
  static var size: (rows: Int, columns: Int) {
    var size = winsize()
    let isKnown = unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 && size.ws_col > 0
    return isKnown ? (Int(size.ws_row), Int(size.ws_col)) : (24, 80)
  }

  // MARK: Strangers' words

  /// `text` from strangers, without what would make a terminal do something or show something else than is there:
  /// each such character becomes a space.
  static func harmless(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isHarmful) else { return text }
    var result = ""
    for scalar in text.unicodeScalars { result.unicodeScalars.append(isHarmful(scalar) ? " " : scalar) }
    return result
  }

  /// JSON from strangers for standard output: on a terminal harmful characters, which only strings can hold, are
  /// escaped. Anywhere else it stays as it is.
  static func harmlessJSON(_ json: String) -> String {
    guard isTerminal(1), json.unicodeScalars.contains(where: isHarmful) else { return json }
    var result = ""
    for scalar in json.unicodeScalars {
      guard isHarmful(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in String(Character(scalar)).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result
  }

  private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Controls: C0, DEL, C1.
    case ..<0x20, 0x7F...0x9F: true
    // Marks that turn the direction of what follows can make a line say something else.
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
    // Ends of lines and paragraphs.
    case 0x2028, 0x2029: true
    // Nothing is seen of these, so two names could look the same.
    case 0x180E, 0x200B, 0x2060...0x2065, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: true
    default: false
    }
  }

  // MARK: Styles

  enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
  }

  /// `text` in a style, when `isStyled`.
  static func styled(_ text: String, _ style: Style, _ isStyled: Bool) -> String {
    isStyled ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}
