// Version 1: one line of text, `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`.
extension ProxyHeader {
  /// The longest line, its end included.
  private static let lineLimit = 107

  static func text(_ bytes: borrowing RawSpan) throws(ProxyHeaderError) -> ProxyHeader? {
    guard begins(bytes, with: "PROXY ") else { throw .malformed }
    let seen = 0..<min(bytes.byteCount, lineLimit)
    let found = bytes.firstIndex(of: ASCII.carriageReturn, in: seen)
    // Some readers take a lone line feed for the end, so there must be none.
    guard bytes.firstIndex(of: ASCII.lineFeed, in: 0..<(found ?? seen.upperBound)) == nil else { throw .malformed }
    guard let end = found else {
      guard bytes.byteCount < lineLimit else { throw .tooLong }
      return nil
    }
    guard end + 1 < lineLimit else { throw .tooLong }
    guard end + 1 < bytes.byteCount else { return nil }
    guard bytes.byte(end + 1) == ASCII.lineFeed else { throw .malformed }
    return ProxyHeader(source: try source(6..<end, in: bytes), byteCount: end + 2)
  }

  /// What follows `PROXY `: exactly one space between the words.
  private static func source(_ range: Range<Int>, in bytes: borrowing RawSpan) throws(ProxyHeaderError) -> IPAddress? {
    var words: [Range<Int>] = []
    var start = range.lowerBound
    while let space = bytes.firstIndex(of: ASCII.space, in: start..<range.upperBound), words.count < 5 {
      words.append(start..<space)
      start = space + 1
    }
    words.append(start..<range.upperBound)
    // What stands behind UNKNOWN is to be ignored.
    if bytes.equals("UNKNOWN", in: words[0]) { return nil }
    guard
      words.count == 5, let source = IPAddress(words[1], in: bytes), IPAddress(words[2], in: bytes) != nil,
      isPort(words[3], in: bytes), isPort(words[4], in: bytes)
    else { throw .malformed }
    // Both families have to be the named one as written, not only by value.
    let isV6 = bytes.firstIndex(of: ASCII.colon, in: words[1]) != nil
    guard
      isV6 == (bytes.firstIndex(of: ASCII.colon, in: words[2]) != nil),
      bytes.equals(isV6 ? "TCP6" : "TCP4", in: words[0])
    else { throw .malformed }
    return source
  }

  private static func isPort(_ range: Range<Int>, in bytes: borrowing RawSpan) -> Bool {
    guard let port = bytes.decimal(range), port <= 65_535 else { return false }
    return range.count == 1 || bytes.byte(range.lowerBound) != UInt8(ascii: "0")
  }
}
