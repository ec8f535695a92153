// JSON without a tree
//
// Strict RFC 8259 and UTF-8 in one pass. Nothing is built: the caller asks for the keys of an object one by one
// and gets every value as the range of bytes it covers.
//
//     {"type":"ping","id":"7"}
//     │└ enterObject: key `type`     the index then stands at the value
//     │        └ value: 8..<14
//     │              └ nextKey: `id`, then nil behind the closing brace
//
// The span is an argument of every call, because a stored one would need an experimental feature.

/// Why bytes are not JSON that we take.
public enum JSONProblem: Error, Equatable, Sendable {
  /// Not RFC 8259, not UTF-8, or half a surrogate pair.
  case malformed
  /// Deeper than ``JSONScanner/depthLimit`` or with more keys than allowed. Found without reading on.
  case tooComplex
}

/// A position in JSON text, and how much nesting and how many keys it may still meet.
public struct JSONScanner {
  /// Objects and arrays that may be open at once, the outermost included.
  public static let depthLimit = 32
  /// Keys that all objects of one text may have together.
  public static let keyLimit = 1_024

  /// The byte that is read next.
  public private(set) var index: Int
  private var depthLeft: Int
  private var keysLeft: Int

  /// - Parameter depthLimit: values are walked over by recursion, so small.
  public init(at index: Int = 0, keyLimit: Int = Self.keyLimit, depthLimit: Int = Self.depthLimit) {
    self.index = index
    self.keysLeft = keyLimit
    self.depthLeft = depthLimit
  }

  /// Enters the object that starts here. Answers its first key and stands at that key's value, or `nil` and
  /// stands behind an empty object.
  public mutating func enterObject(_ bytes: RawSpan) throws(JSONProblem) -> JSONString? {
    guard peek(bytes) == UInt8(ascii: "{") else { throw .malformed }
    try open(bytes)
    guard peek(bytes) != UInt8(ascii: "}") else {
      close()
      return nil
    }
    return try key(bytes)
  }

  /// Goes on behind a value: the next key of the same object, or `nil` behind its end.
  public mutating func nextKey(_ bytes: RawSpan) throws(JSONProblem) -> JSONString? {
    skipSpace(bytes)
    switch peek(bytes) {
    case UInt8(ascii: ","):
      index &+= 1
      skipSpace(bytes)
      return try key(bytes)
    case UInt8(ascii: "}"):
      close()
      return nil
    default: throw .malformed
    }
  }

  /// Walks over the value that starts here and answers where it was.
  @discardableResult
  public mutating func value(_ bytes: RawSpan) throws(JSONProblem) -> Range<Int> {
    let start = index
    switch peek(bytes) {
    case UInt8(ascii: "\""): _ = try string(bytes)
    case UInt8(ascii: "{"): try object(bytes)
    case UInt8(ascii: "["): try array(bytes)
    case UInt8(ascii: "t"): try literal("true", bytes)
    case UInt8(ascii: "f"): try literal("false", bytes)
    case UInt8(ascii: "n"): try literal("null", bytes)
    default: index = try JSONNumber.end(bytes, from: index)
    }
    return start..<index
  }

  /// Passes what JSON calls white space.
  @inline(__always)
  public mutating func skipSpace(_ bytes: RawSpan) {
    while true {
      switch peek(bytes) {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): index &+= 1
      default: return
      }
    }
  }

  /// Checks that only white space is left.
  public mutating func finish(_ bytes: RawSpan) throws(JSONProblem) {
    skipSpace(bytes)
    guard index == bytes.byteCount else { throw .malformed }
  }

  /// The byte to read next; at the end 0, which starts and separates nothing in JSON.
  @inline(__always)
  private func peek(_ bytes: RawSpan) -> UInt8 { bytes.byteOrZero(index) }

  @inline(__always)
  private mutating func open(_ bytes: RawSpan) throws(JSONProblem) {
    guard depthLeft > 0 else { throw .tooComplex }
    depthLeft &-= 1
    index &+= 1
    skipSpace(bytes)
  }

  @inline(__always)
  private mutating func close() {
    depthLeft &+= 1
    index &+= 1
  }

  @inline(__always)
  private mutating func key(_ bytes: RawSpan) throws(JSONProblem) -> JSONString {
    guard keysLeft > 0 else { throw .tooComplex }
    keysLeft &-= 1
    guard peek(bytes) == UInt8(ascii: "\"") else { throw .malformed }
    let key = try string(bytes)
    skipSpace(bytes)
    guard peek(bytes) == UInt8(ascii: ":") else { throw .malformed }
    index &+= 1
    skipSpace(bytes)
    return key
  }

  @inline(__always)
  private mutating func string(_ bytes: RawSpan) throws(JSONProblem) -> JSONString {
    let string = try JSONString(scanning: bytes, from: index &+ 1)
    index = string.contents.upperBound &+ 1
    return string
  }

  /// Calls itself through `value`, `depthLimit` times at most.
  private mutating func object(_ bytes: RawSpan) throws(JSONProblem) {
    var key = try enterObject(bytes)
    while key != nil {
      try value(bytes)
      key = try nextKey(bytes)
    }
  }

  private mutating func array(_ bytes: RawSpan) throws(JSONProblem) {
    try open(bytes)
    guard peek(bytes) != UInt8(ascii: "]") else { return close() }
    while true {
      try value(bytes)
      skipSpace(bytes)
      switch peek(bytes) {
      case UInt8(ascii: ","):
        index &+= 1
        skipSpace(bytes)
      case UInt8(ascii: "]"): return close()
      default: throw .malformed
      }
    }
  }

  private mutating func literal(_ word: StaticString, _ bytes: RawSpan) throws(JSONProblem) {
    let end = index &+ word.utf8CodeUnitCount
    guard end <= bytes.byteCount, bytes.holds(word, at: index..<end) else { throw .malformed }
    index = end
  }
}
