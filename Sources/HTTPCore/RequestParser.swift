/// Reads requests from the front of a connection's bytes (RFC 9112). Eight bytes per connection.
///
/// Keep the bytes until a head comes out, add what arrives, ask again: nothing is looked at twice on the way, so a
/// request that comes byte by byte costs what a whole one costs.
public struct RequestParser: Sendable {
  private var scanner = HeadScanner()

  public init() {}

  /// The request at the front of `bytes`, or nil while its head is not complete.
  ///
  /// `bytes` always start at the request's first byte. After a head was returned the parser stands before the next
  /// request; drop ``RequestHead/byteCount`` bytes and the body first. After an error the connection is of no more use.
  public mutating func parse(
    _ bytes: borrowing RawSpan, limits: HTTPLimits
  ) throws(RequestError) -> RequestHead? {
    let scanLimits = HeadScanner.Limits(
      startLineBytes: limits.requestLineBytes, fieldBytes: limits.headerBytes, fieldCount: limits.headerCount)
    guard let byteCount = try scanner.scan(bytes, limits: scanLimits) else { return nil }
    let block = Int(scanner.fieldsStart)..<(byteCount - 2)
    let fieldCount = Int(scanner.fieldCount)
    scanner = HeadScanner()

    let line = try RequestLine(0..<(block.lowerBound - 2), targetLimit: limits.targetBytes, in: bytes)
    let fields = try HeaderFields(block, count: fieldCount, in: bytes)
    try fields.checkHost(in: bytes)
    return RequestHead(
      line, fields, byteCount: byteCount,
      bodyLength: try fields.requestBodyLength(for: line.method, limit: limits.bodyBytes, in: bytes),
      keepAlive: !fields.list(of: "connection", contains: "close", in: bytes))
  }
}
