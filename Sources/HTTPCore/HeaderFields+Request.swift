extension HeaderFields {
  /// Exactly one Host, in the shape `name[:port]` or `[IPv6][:port]` (RFC 9112 section 3.2).
  ///
  /// Names may hold letters, digits and `- . _ ~`. RFC 3986 has more, but no host that resolves does, and Host is
  /// compared with Origin, so the less it can say the better.
  func checkHost(in bytes: borrowing RawSpan) throws(RequestError) {
    guard let host = value(of: "host", in: bytes) else { throw .missingHost }
    guard occurrences(of: "host", in: bytes) == 1 else { throw .repeatedHost }
    guard !host.isEmpty else { throw .malformedHost }
    var end = host.lowerBound
    if bytes.byte(end) == UInt8(ascii: "[") {
      guard let close = bytes.firstIndex(of: UInt8(ascii: "]"), in: host), close > end + 2 else { throw .malformedHost }
      for index in end + 1..<close {
        let byte = bytes.byte(index)
        guard ASCII.hexadecimal(byte) != nil || byte == ASCII.colon || byte == UInt8(ascii: ".") else {
          throw .malformedHost
        }
      }
      end = close + 1
    } else {
      while end < host.upperBound, Self.isHostName(bytes.byte(end)) { end += 1 }
      guard end > host.lowerBound else { throw .malformedHost }
    }
    guard end < host.upperBound else { return }
    guard bytes.byte(end) == ASCII.colon, let port = bytes.decimal(end + 1..<host.upperBound), port <= 65_535 else {
      throw .malformedHost
    }
  }

  /// How long the body is, decided so that nobody on the way can decide otherwise (RFC 9112 section 6.3).
  func requestBodyLength(
    for method: Method, limit: Int, in bytes: borrowing RawSpan
  ) throws(RequestError) -> Int {
    let lengths = occurrences(of: "content-length", in: bytes)
    if let coding = value(of: "transfer-encoding", in: bytes) {
      guard lengths == 0 else { throw .ambiguousLength }
      guard !method.forbidsBody else { throw .unexpectedBody }
      let chunked = bytes.matches("chunked", in: coding) && occurrences(of: "transfer-encoding", in: bytes) == 1
      throw chunked ? .lengthRequired : .unknownTransferCoding
    }
    guard let range = value(of: "content-length", in: bytes) else { return 0 }
    guard lengths == 1, range.count <= 18, let length = bytes.decimal(range) else { throw .malformedLength }
    guard length == 0 || !method.forbidsBody else { throw .unexpectedBody }
    guard length <= limit else { throw .bodyTooLarge }
    return length
  }

  private static func isHostName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
    default: ASCII.isAlphanumeric(byte)
    }
  }
}
