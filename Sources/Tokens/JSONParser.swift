/// Reads one JSON value, strictly: no second name in an object, no lone surrogate, no control character in a string,
/// nothing after the end.
///
/// A library would do, but decoders keep the last of two equal names silently, where another reader of the same token
/// may have kept the first; and this one takes a quarter of the time, which counts when a whole cluster reconnects.
struct JSONParser {
  /// What is read at most. Beyond it the text is malformed.
  struct Bounds {
    /// Nesting, so that brackets cannot exhaust the stack.
    var depth = 8
    /// Members of one object: more than any token has, and the search for a name stays cheap whatever is sent.
    var members = 64
    /// Elements of one list; a token's length bounds them well enough.
    var elements = Int.max
  }

  private let bytes: [UInt8]
  private let bounds: Bounds
  private var index = 0

  struct Malformed: Error {}

  static func object(_ bytes: [UInt8], _ bounds: Bounds = Bounds()) -> JSONObject? {
    var parser = JSONParser(bytes, bounds)
    guard let value = try? parser.whole(), case .object(let object) = value else { return nil }
    return object
  }

  private init(_ bytes: [UInt8], _ bounds: Bounds) { (self.bytes, self.bounds) = (bytes, bounds) }

  private mutating func whole() throws(Malformed) -> JSONValue {
    let value = try value(depth: bounds.depth)
    skipBlanks()
    guard index == bytes.count else { throw Malformed() }
    return value
  }

  private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
    skipBlanks()
    guard index < bytes.count, depth > 0 else { throw Malformed() }
    switch bytes[index] {
    case UInt8(ascii: "{"): return .object(try object(depth: depth - 1))
    case UInt8(ascii: "["): return .array(try array(depth: depth - 1))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func object(depth: Int) throws(Malformed) -> JSONObject {
    var object = JSONObject()
    index += 1
    skipBlanks()
    if take("}") { return object }
    repeat {
      skipBlanks()
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw Malformed() }
      let name = try string()
      skipBlanks()
      guard take(":"), object.count < bounds.members, object.add(name, try value(depth: depth)) else {
        throw Malformed()
      }
      skipBlanks()
    } while take(",")
    guard take("}") else { throw Malformed() }
    return object
  }

  private mutating func array(depth: Int) throws(Malformed) -> [JSONValue] {
    var array: [JSONValue] = []
    index += 1
    skipBlanks()
    if take("]") { return array }
    repeat {
      guard array.count < bounds.elements else { throw Malformed() }
      array.append(try value(depth: depth))
      skipBlanks()
    } while take(",")
    guard take("]") else { throw Malformed() }
    return array
  }

  private mutating func number() throws(Malformed) -> String {
    let start = index
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  private mutating func digits() throws(Malformed) {
    let start = index
    while index < bytes.count, bytes[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
    guard index > start else { throw Malformed() }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(Malformed) -> JSONValue {
    guard bytes[index...].starts(with: word.utf8) else { throw Malformed() }
    index += word.utf8.count
    return value
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func skipBlanks() {
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): index += 1
      default: return
      }
    }
  }
}

// Strings
extension JSONParser {
  private mutating func string() throws(Malformed) -> String {
    index += 1
    let start = index
    while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") {
      guard bytes[index] >= 0x20 else { throw Malformed() }
      index += 1
    }
    var content = bytes[start..<index]
    while !take("\"") { try unescapedPart(into: &content) }
    guard let text = String(validating: content, as: UTF8.self) else { throw Malformed() }
    return text
  }

  private mutating func unescapedPart(into content: inout ArraySlice<UInt8>) throws(Malformed) {
    guard index < bytes.count, bytes[index] >= 0x20 else { throw Malformed() }
    guard take("\\") else {
      content.append(bytes[index])
      index += 1
      return
    }
    guard index < bytes.count else { throw Malformed() }
    index += 1
    switch bytes[index - 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(bytes[index - 1])
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"): content.append(contentsOf: Array(String(try escapedScalar()).utf8))
    default: throw Malformed()
    }
  }

  /// What follows `\u`: one scalar, or two halves of one.
  private mutating func escapedScalar() throws(Malformed) -> Unicode.Scalar {
    let unit = try fourDigits()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard UTF16.isLeadSurrogate(unit), take("\\"), take("u") else { throw Malformed() }
    let second = try fourDigits()
    guard UTF16.isTrailSurrogate(second) else { throw Malformed() }
    return UTF16.decode(UTF16.EncodedScalar([unit, second]))
  }

  private mutating func fourDigits() throws(Malformed) -> UInt16 {
    guard
      index + 4 <= bytes.count,
      let unit = UInt16(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16),
      bytes[index] != UInt8(ascii: "+"), bytes[index] != UInt8(ascii: "-")
    else { throw Malformed() }
    index += 4
    return unit
  }
}
