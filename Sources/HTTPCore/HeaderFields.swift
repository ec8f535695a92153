/// The header lines of one message, as places in the bytes they were read from.
///
/// Every question takes those bytes again: the same ones, or a copy that starts at the same byte.
public struct HeaderFields: Equatable, Sendable {
  /// Where one line's name and value are, 8 bytes in all.
  struct Field: Equatable, Sendable {
    var nameStart: UInt16
    var nameEnd: UInt16
    var valueStart: UInt16
    var valueEnd: UInt16
  }

  private var fields: [Field] = []

  /// How many lines there are.
  public var count: Int { fields.count }

  /// The name of line `index`, as the peer wrote it.
  public func name(at index: Int) -> Range<Int> { Int(fields[index].nameStart)..<Int(fields[index].nameEnd) }

  /// The value of line `index`, without blanks around it.
  public func value(at index: Int) -> Range<Int> { Int(fields[index].valueStart)..<Int(fields[index].valueEnd) }

  /// The first value of the header called `name` (lower case), or nil when there is none.
  public func value(of name: StaticString, in bytes: borrowing RawSpan) -> Range<Int>? {
    index(of: name, from: 0, in: bytes).map { value(at: $0) }
  }

  /// How many lines are called `name` (lower case).
  public func occurrences(of name: StaticString, in bytes: borrowing RawSpan) -> Int {
    var occurrences = 0
    var next = index(of: name, from: 0, in: bytes)
    while let found = next {
      occurrences += 1
      next = index(of: name, from: found + 1, in: bytes)
    }
    return occurrences
  }

  /// The comma-separated elements of all lines called `name` (lower case), in order.
  public func list(of name: StaticString) -> HeaderList { HeaderList(name, of: self) }

  /// Whether one of the elements of `name` is `element`, in any case. Both are given in lower case.
  public func list(of name: StaticString, contains element: StaticString, in bytes: borrowing RawSpan) -> Bool {
    var elements = list(of: name)
    while let range = elements.next(in: bytes) {
      if bytes.matches(element, in: range) { return true }
    }
    return false
  }

  func index(of name: StaticString, from start: Int, in bytes: borrowing RawSpan) -> Int? {
    var index = start
    while index < fields.count {
      if bytes.matches(name, in: self.name(at: index)) { return index }
      index += 1
    }
    return nil
  }
}

extension HeaderFields {
  /// Reads the lines in `block`, whose line ends a ``HeadScanner`` has checked.
  init(_ block: Range<Int>, count: Int, in bytes: borrowing RawSpan) throws(RequestError) {
    fields.reserveCapacity(count)
    var start = block.lowerBound
    while start < block.upperBound, let end = bytes.firstIndex(of: ASCII.carriageReturn, in: start..<block.upperBound) {
      fields.append(try Self.field(start..<end, in: bytes))
      start = end + 2
    }
  }

  private static func field(_ line: Range<Int>, in bytes: borrowing RawSpan) throws(RequestError) -> Field {
    guard !ASCII.isBlank(bytes.byte(line.lowerBound)) else { throw .foldedHeader }
    var colon = line.lowerBound
    while colon < line.upperBound, ASCII.isToken(bytes.byte(colon)) { colon &+= 1 }
    guard colon > line.lowerBound, colon < line.upperBound, bytes.byte(colon) == ASCII.colon else {
      throw .malformedHeader
    }
    let value = bytes.trimmed(colon + 1..<line.upperBound)
    return Field(
      nameStart: UInt16(line.lowerBound), nameEnd: UInt16(colon), valueStart: UInt16(value.lowerBound),
      valueEnd: UInt16(value.upperBound))
  }
}
