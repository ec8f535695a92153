/// A request up to its body, as places in the bytes it was read from. Valid: every rule of ``RequestError`` holds.
public struct RequestHead: Equatable, Sendable {
  public let method: Method
  /// The target up to its `?`; starts with `/`, not decoded, not normalised.
  public let path: Range<Int>
  /// What follows the `?`; nil when there is none.
  public let query: Range<Int>?
  public let fields: HeaderFields
  /// Bytes of the head, its last empty line included: where the body or the first frame starts.
  public let byteCount: Int
  /// Bytes of the body that follows, 0 when there is none. Always 0 for GET and HEAD.
  public let bodyLength: Int
  /// Whether the client expects the connection to stay open after the answer.
  public let keepAlive: Bool

  init(
    _ line: RequestLine, _ fields: HeaderFields, byteCount: Int, bodyLength: Int, keepAlive: Bool
  ) {
    (method, path, query) = (line.method, line.path, line.query)
    (self.fields, self.byteCount, self.bodyLength, self.keepAlive) = (fields, byteCount, bodyLength, keepAlive)
  }

  /// Whether the path is exactly `text`.
  public func isPath(_ text: StaticString, in bytes: borrowing RawSpan) -> Bool {
    bytes.equals(text, in: path)
  }

  /// The token of `Authorization: Bearer` (RFC 6750 section 2.1; the scheme in any case); nil when the first
  /// Authorization line is absent or of another scheme. More than one line is for the caller to refuse.
  public func bearerToken(in bytes: borrowing RawSpan) -> Range<Int>? {
    guard
      let value = fields.value(of: "authorization", in: bytes),
      let space = bytes.firstIndex(of: ASCII.space, in: value),
      bytes.matches("bearer", in: value.lowerBound..<space)
    else { return nil }
    return bytes.trimmed(space..<value.upperBound)
  }

  /// The bytes in `range` as text; bytes that are no UTF-8 become U+FFFD.
  public func text(_ range: Range<Int>, in bytes: borrowing RawSpan) -> String {
    String(decoding: bytes.array(range), as: UTF8.self)
  }

  /// A copy of the bytes in `range`.
  public func array(_ range: Range<Int>, in bytes: borrowing RawSpan) -> [UInt8] { bytes.array(range) }
}
