/// Checks UTF-8 (RFC 3629) that arrives in pieces, and says no at the first byte that cannot be right.
///
/// Three bytes of state: how many continuation bytes a started character still needs, and the range the next
/// one must lie in. The range is `80...BF` except after the leads that could start an overlong form (E0, F0), a
/// surrogate (ED) or a number above U+10FFFF (F4): there the second byte already decides.
public struct UTF8Validator: Equatable, Sendable {
  private var missing: UInt8 = 0
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xBF

  public init() {}

  /// Whether the bytes so far end with a whole character. False for ever after a `false` from ``consume(_:)``.
  public var isComplete: Bool { missing == 0 }

  /// Takes the next piece, of any size. Returns false when no continuation could make the text valid; every
  /// later call then says false as well, unless it brings no bytes.
  public mutating func consume(_ bytes: borrowing RawSpan) -> Bool {
    var state = self  // a copy, so that it stays in registers
    defer { self = state }
    return unsafe bytes.withUnsafeBytes { unsafe state.consume($0) }
  }

  /// Whether `bytes` are a whole valid text.
  public static func isValid(_ bytes: borrowing RawSpan) -> Bool {
    var validator = Self()
    return validator.consume(bytes) && validator.isComplete
  }

  private mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var place = 0
    while place < bytes.count {
      if missing == 0 {
        unsafe Self.skipASCII(bytes, &place)
        unsafe Self.skipCharacters(bytes, &place)
        guard place < bytes.count else { return true }
        if unsafe bytes[place] < 0x80 { continue }
        guard start(unsafe bytes[place]) else { return false }
        place &+= 1
      }
      while missing > 0 && place < bytes.count {
        guard goOn(unsafe bytes[place]) else { return false }
        place &+= 1
      }
    }
    return true
  }

  /// Moves `place` over whole valid characters beyond ASCII, as long as four bytes can be looked at. What it stops
  /// at is judged byte by byte, which finds the first wrong one.
  private static func skipCharacters(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) {
    while place &+ 4 <= bytes.count {
      // The first byte is the lowest: patterns below read from right to left.
      let four = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
      if four & 0xC0E0 == 0x80C0 {
        guard four & 0x1E != 0 else { return }  // overlong: C0, C1
        place &+= 2
      } else if four & 0xC0C0F0 == 0x8080E0 {
        let second = four & 0x200F
        guard second != 0 && second != 0x200D else { return }  // overlong, surrogate
        place &+= 3
      } else if four & 0xC0C0_C0F8 == 0x8080_80F0 {
        guard four & 0x3007 != 0 && (four & 0x04 == 0 || four & 0x3003 == 0) else { return }  // overlong, over 10FFFF
        place &+= 4
      } else {
        return
      }
    }
  }

  /// Moves `place` to the first byte that is not ASCII, or to the end: eight bytes, then 32 a step, and the last
  /// few by looking at the last eight once more.
  private static func skipASCII(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) {
    let highBits = SIMD4<UInt64>(repeating: 0x8080_8080_8080_8080)
    while place &+ 8 <= bytes.count {
      let high = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)) & highBits[0]
      guard high == 0 else {
        place &+= high.trailingZeroBitCount &>> 3
        return
      }
      place &+= 8
      while place &+ 32 <= bytes.count {
        let high = unsafe bytes.loadUnaligned(fromByteOffset: place, as: SIMD4<UInt64>.self) & highBits
        guard high[0] | high[1] | high[2] | high[3] == 0 else { break }
        place &+= 32
      }
    }
    if bytes.count >= 8 {
      let last = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self))
      let rest = bytes.count &- place
      let high = (last & highBits[0]) >> UInt64(64 &- 8 &* rest)
      place &+= high == 0 ? rest : high.trailingZeroBitCount &>> 3
    } else {
      while place < bytes.count, unsafe bytes[place] < 0x80 { place &+= 1 }
    }
  }

  /// A byte of 80 or above where a character starts.
  private mutating func start(_ lead: UInt8) -> Bool {
    switch lead {
    case 0xC2...0xDF: (missing, lowest, highest) = (1, 0x80, 0xBF)
    case 0xE0: (missing, lowest, highest) = (2, 0xA0, 0xBF)
    case 0xED: (missing, lowest, highest) = (2, 0x80, 0x9F)
    case 0xE1...0xEF: (missing, lowest, highest) = (2, 0x80, 0xBF)
    case 0xF0: (missing, lowest, highest) = (3, 0x90, 0xBF)
    case 0xF1...0xF3: (missing, lowest, highest) = (3, 0x80, 0xBF)
    case 0xF4: (missing, lowest, highest) = (3, 0x80, 0x8F)
    default: return fail()
    }
    return true
  }

  private mutating func goOn(_ byte: UInt8) -> Bool {
    guard byte >= lowest, byte <= highest else { return fail() }
    (missing, lowest, highest) = (missing &- 1, 0x80, 0xBF)
    return true
  }

  /// An empty range lets no later byte pass.
  private mutating func fail() -> Bool {
    (missing, lowest, highest) = (1, 0xFF, 0x00)
    return false
  }
}
