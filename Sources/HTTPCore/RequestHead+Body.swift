/// What a request says about its body besides the length.
extension RequestHead {
  /// What the client waits for before it sends the body (RFC 9110 section 10.1.1).
  public enum Expectation: Equatable, Sendable {
    case nothing
    /// `100-continue`: a 100, or the final answer, which spares it the body.
    case goAhead
    /// Something else; to be refused with 417.
    case unknown
  }

  public func expectation(in bytes: borrowing RawSpan) -> Expectation {
    guard let value = fields.value(of: "expect", in: bytes) else { return .nothing }
    let isKnown = fields.occurrences(of: "expect", in: bytes) == 1 && bytes.matches("100-continue", in: value)
    return isKnown ? .goAhead : .unknown
  }

  /// Whether the body is said to be JSON: exactly one `Content-Type`, of `application/json`, parameters aside (RFC 8259
  /// section 11).
  public func announcesJSON(in bytes: borrowing RawSpan) -> Bool {
    guard
      fields.occurrences(of: "content-type", in: bytes) == 1, let value = fields.value(of: "content-type", in: bytes)
    else { return false }
    let end = bytes.firstIndex(of: UInt8(ascii: ";"), in: value) ?? value.upperBound
    return bytes.matches("application/json", in: bytes.trimmed(value.lowerBound..<end))
  }
}
