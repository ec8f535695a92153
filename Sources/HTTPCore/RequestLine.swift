/// `method SP request-target SP HTTP-version` (RFC 9112 section 3).
struct RequestLine {
  let method: Method
  let path: Range<Int>
  let query: Range<Int>?

  init(_ line: Range<Int>, targetLimit: Int, in bytes: borrowing RawSpan) throws(RequestError) {
    guard
      let first = bytes.firstIndex(of: ASCII.space, in: line),
      let second = bytes.firstIndex(of: ASCII.space, in: first + 1..<line.upperBound),
      let method = Method(line.lowerBound..<first, in: bytes)
    else { throw .malformedRequestLine }
    try Self.checkVersion(second + 1..<line.upperBound, in: bytes)

    let target = first + 1..<second
    guard target.count <= targetLimit else { throw .targetTooLong }
    guard !target.isEmpty, bytes.byte(target.lowerBound) == UInt8(ascii: "/") else { throw .malformedTarget }
    for index in target {
      // Browsers send a few more characters as they are than RFC 3986 has, so all visible ones pass; a fragment
      // never leaves a correct client.
      let byte = bytes.byte(index)
      guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "#") else { throw .malformedTarget }
    }
    let mark = bytes.firstIndex(of: UInt8(ascii: "?"), in: target)
    self.method = method
    path = target.lowerBound..<(mark ?? target.upperBound)
    query = mark.map { $0 + 1..<target.upperBound }
  }

  /// Exactly `HTTP/1.1`; names are case-sensitive.
  private static func checkVersion(_ range: Range<Int>, in bytes: borrowing RawSpan) throws(RequestError) {
    let start = range.lowerBound
    guard
      range.count == 8, bytes.equals("HTTP/", in: start..<start + 5), bytes.byte(start + 6) == UInt8(ascii: ".")
    else { throw .malformedRequestLine }
    let (major, minor) = (bytes.byte(start + 5), bytes.byte(start + 7))
    guard ASCII.isDigit(major), ASCII.isDigit(minor) else { throw .malformedRequestLine }
    switch (major, minor) {
    case (UInt8(ascii: "1"), UInt8(ascii: "1")): return
    case (UInt8(ascii: "0"), _), (UInt8(ascii: "1"), UInt8(ascii: "0")): throw .obsoleteVersion
    default: throw .unsupportedVersion
    }
  }
}
