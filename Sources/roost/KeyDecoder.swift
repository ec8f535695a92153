/// Bytes of a terminal, in any pieces, to keys.
struct KeyDecoder {
  enum Key: Equatable {
    case character(Unicode.Scalar)
    case enter, backspace, delete
    case left, right, home, end, up, down
    case eraseToStart, eraseToEnd, eraseWord
    /// Ctrl-D.
    case close
    /// Ctrl-L.
    case refresh
  }

  /// No sequence that is known is longer; what is longer is forgotten.
  private static let longest = 16

  /// A character or an escape sequence that is not complete.
  private var open: [UInt8] = []

  /// The key that this byte completes, if it is one that is known.
  mutating func next(_ byte: UInt8) -> Key? {
    if open.first == 0x1B { return escape(byte) }
    if open.isEmpty, byte < 0x80 { return single(byte) }
    // A character that is broken off by something else is forgotten.
    if !open.isEmpty, byte & 0xC0 != 0x80 {
      open = []
      return next(byte)
    }
    open.append(byte)
    guard open.count >= Self.length(of: open[0]) else { return nil }
    defer { open = [] }
    return String(validating: open, as: UTF8.self)?.unicodeScalars.first.map { .character($0) }
  }

  private static func length(of first: UInt8) -> Int {
    switch first {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
  }

  private mutating func single(_ byte: UInt8) -> Key? {
    switch byte {
    case 0x1B: open = [byte]
    case 0x0A, 0x0D: return .enter
    case 0x08, 0x7F: return .backspace
    case 0x01: return .home
    case 0x02: return .left
    case 0x04: return .close
    case 0x05: return .end
    case 0x06: return .right
    case 0x0B: return .eraseToEnd
    case 0x0C: return .refresh
    case 0x0E: return .down
    case 0x10: return .up
    case 0x15: return .eraseToStart
    case 0x17: return .eraseWord
    case 0x20...0x7E: return .character(Unicode.Scalar(byte))
    default: break
    }
    return nil
  }

  /// `ESC [ … letter`, `ESC O letter`, or `ESC` and one more.
  private mutating func escape(_ byte: UInt8) -> Key? {
    if byte == 0x1B {
      open = [byte]
      return nil
    }
    open.append(byte)
    if open.count == 2, byte == UInt8(ascii: "[") || byte == UInt8(ascii: "O") { return nil }
    let isOver = open.count == 2 || open.count >= Self.longest || (0x40...0x7E).contains(byte)
    guard isOver else { return nil }
    defer { open = [] }
    switch String(decoding: open.dropFirst(2), as: UTF8.self) {
    case "A": return .up
    case "B": return .down
    case "C": return .right
    case "D": return .left
    case "H", "1~", "7~": return .home
    case "F", "4~", "8~": return .end
    case "3~": return .delete
    default: return nil
    }
  }
}
