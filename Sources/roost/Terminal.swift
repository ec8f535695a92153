import Glibc

/// What a terminal can do and what pipes cannot.
enum Terminal {
  static func isTerminal(_ descriptor: CInt) -> Bool { isatty(descriptor) == 1 }

  /// Lines and columns of standard output; 24 and 80 when nobody says.
  static var size: (rows: Int, columns: Int) {
    var size = winsize()
    let isKnown = unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 && size.ws_col > 0
    return isKnown ? (Int(size.ws_row), Int(size.ws_col)) : (24, 80)
  }

  /// `text` from strangers, without what would make a terminal do something: controls become spaces.
  static func harmless(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      // Marks that turn the direction of what follows can make a line say something else.
      let isTurn = (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
      result.unicodeScalars.append(isControl || isTurn || [0x2028, 0x2029].contains(scalar.value) ? " " : scalar)
    }
    return result
  }

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
