/// A response up to its body, as places in the bytes it was read from.
public struct ResponseHead: Equatable, Sendable {
  /// 100...999
  public let status: Int
  public let fields: HeaderFields
  /// Bytes of the head, its last empty line included.
  public let byteCount: Int
  /// Bytes of the body; nil when it ends with the connection.
  public let bodyLength: Int?
  /// Whether the server leaves the connection open.
  public let keepAlive: Bool

  init(
    line: Range<Int>, _ fields: HeaderFields, byteCount: Int, in bytes: borrowing RawSpan
  ) throws(ResponseError) {
    let start = line.lowerBound
    guard
      line.count >= 12, bytes.equals("HTTP/1.1 ", in: start..<start + 9),
      let status = bytes.decimal(start + 9..<start + 12), status >= 100,
      line.count == 12 || bytes.byte(start + 12) == ASCII.space
    else { throw .malformed }
    self.status = status
    self.fields = fields
    self.byteCount = byteCount
    keepAlive = !fields.list(of: "connection", contains: "close", in: bytes)
    bodyLength = try Self.bodyLength(status, fields, in: bytes)
  }

  private static func bodyLength(
    _ status: Int, _ fields: HeaderFields, in bytes: borrowing RawSpan
  ) throws(ResponseError) -> Int? {
    if status < 200 || status == 204 || status == 304 { return 0 }
    guard fields.occurrences(of: "transfer-encoding", in: bytes) == 0 else { throw .malformed }
    guard let range = fields.value(of: "content-length", in: bytes) else { return nil }
    guard fields.occurrences(of: "content-length", in: bytes) == 1, let length = bytes.decimal(range) else {
      throw .malformed
    }
    return length
  }
}
