// Version 2:
//
//     signature (12)  version and command  family and transport  length (2)  addresses  additions (type, length, value)
//
// The additions are passed over unread: their checksum guards against errors that TCP has found already, and nothing
// here asks for the rest.
extension ProxyHeader {
  private static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
  private static let fixedBytes = 16

  static func binary(_ bytes: borrowing RawSpan) throws(ProxyHeaderError) -> ProxyHeader? {
    guard begins(bytes, with: signature) else { throw .malformed }
    // What is wrong is said as soon as it is there, not when all of it is.
    guard bytes.byteCount < 13 || bytes.byte(12) == 0x20 || bytes.byte(12) == 0x21 else { throw .malformed }
    guard bytes.byteCount >= fixedBytes else { return nil }
    let length = Int(bytes.byte(14)) << 8 | Int(bytes.byte(15))
    let byteCount = fixedBytes + length
    guard byteCount <= byteLimit else { throw .tooLong }
    let isLocal = bytes.byte(12) == 0x20
    let addressBytes = isLocal ? 0 : try addressBytes(bytes.byte(13))
    guard length >= addressBytes else { throw .malformed }
    guard bytes.byteCount >= byteCount else { return nil }
    return ProxyHeader(source: isLocal ? nil : source(bytes), byteCount: byteCount)
  }

  /// How many bytes the addresses of a family take: both, with their ports. Datagrams do not come by TCP.
  private static func addressBytes(_ family: UInt8) throws(ProxyHeaderError) -> Int {
    switch family {
    case 0x00: 0
    case 0x11: 12
    case 0x21: 36
    case 0x31: 216
    default: throw .malformed
    }
  }

  private static func source(_ bytes: borrowing RawSpan) -> IPAddress? {
    switch bytes.byte(13) {
    case 0x11: IPAddress(v4: UInt32(truncatingIfNeeded: number(bytes, fixedBytes..<fixedBytes + 4)))
    case 0x21:
      IPAddress(
        high: number(bytes, fixedBytes..<fixedBytes + 8), low: number(bytes, fixedBytes + 8..<fixedBytes + 16))
    // Not known, or a unix socket, which has no address that could be counted.
    default: nil
    }
  }

  private static func number(_ bytes: borrowing RawSpan, _ range: Range<Int>) -> UInt64 {
    var number: UInt64 = 0
    for index in range { number = number << 8 | UInt64(bytes.byte(index)) }
    return number
  }
}
