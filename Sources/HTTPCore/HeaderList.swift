/// Walks through the elements of a header that is a comma-separated list, over all lines of that name
/// (RFC 9110 section 5.6.1): `Connection`, `Upgrade`, `Sec-WebSocket-Protocol`.
///
/// Does not know quoted strings, so it is not for headers that may hold a comma inside one.
public struct HeaderList: Sendable {
  private let name: StaticString
  private let fields: HeaderFields
  /// The next line to look at, and what is left of the current one.
  private var line = 0
  private var rest = 0..<0

  init(_ name: StaticString, of fields: HeaderFields) {
    (self.name, self.fields) = (name, fields)
  }

  /// The next element that is not empty, without blanks around it.
  public mutating func next(in bytes: borrowing RawSpan) -> Range<Int>? {
    while true {
      if rest.isEmpty {
        guard let found = fields.index(of: name, from: line, in: bytes) else { return nil }
        rest = fields.value(at: found)
        line = found + 1
      }
      let comma = bytes.firstIndex(of: ASCII.comma, in: rest) ?? rest.upperBound
      let element = bytes.trimmed(rest.lowerBound..<comma)
      rest = min(comma + 1, rest.upperBound)..<rest.upperBound
      if !element.isEmpty { return element }
    }
  }
}
