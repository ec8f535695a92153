/// Reads responses of our own server for our own clients: load generator, health check, probes.
///
/// Works as ``RequestParser`` does. Chunked bodies are not understood and refused.
public struct ResponseParser: Sendable {
  private var scanner = HeadScanner()

  public init() {}

  /// The response at the front of `bytes`, or nil while its head is not complete.
  public mutating func parse(_ bytes: borrowing RawSpan) throws(ResponseError) -> ResponseHead? {
    let limits = HeadScanner.Limits(startLineBytes: 1024, fieldBytes: 16 * 1024, fieldCount: 128)
    do {
      guard let byteCount = try scanner.scan(bytes, limits: limits) else { return nil }
      let block = Int(scanner.fieldsStart)..<(byteCount - 2)
      let fields = try HeaderFields(block, count: Int(scanner.fieldCount), in: bytes)
      scanner = HeadScanner()
      return try ResponseHead(line: 0..<(block.lowerBound - 2), fields, byteCount: byteCount, in: bytes)
    } catch {
      throw .malformed
    }
  }
}

/// Why a response could not be read.
public enum ResponseError: Error, Equatable, Sendable { case malformed }
