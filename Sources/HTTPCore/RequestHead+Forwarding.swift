extension RequestHead {
  /// Hops that are looked at; a chain of more proxies is nobody's.
  private static let hopLimit = 16

  /// Who sent the request, by the `X-Forwarded-For` lines that trusted proxies wrote; to be asked only when the request
  /// came from one of them.
  ///
  /// Each proxy adds its peer at the end, so the list is read from there: the first address that is no proxy of ours is
  /// the client, and what stands before it is his own invention. When all are ours it is the first of them. Reading
  /// stops at anything that is no address, and what was read until then holds. Nil when there is nothing.
  public func forwardedClient(in bytes: borrowing RawSpan, proxies: [NetworkRange]) -> IPAddress? {
    var client: IPAddress?
    var hops = 0
    for line in stride(from: fields.count - 1, through: 0, by: -1)
    where bytes.matches("x-forwarded-for", in: fields.name(at: line)) {
      var rest = fields.value(at: line)
      while !rest.isEmpty {
        let comma = bytes.lastIndex(of: ASCII.comma, in: rest)
        let element = bytes.trimmed((comma.map { $0 + 1 } ?? rest.lowerBound)..<rest.upperBound)
        rest = rest.lowerBound..<(comma ?? rest.lowerBound)
        guard !element.isEmpty else { continue }
        guard hops < Self.hopLimit, let hop = Self.hop(element, in: bytes) else { return client }
        hops += 1
        client = hop
        guard proxies.contains(where: { $0.contains(hop) }) else { return client }
      }
    }
    return client
  }

  /// An address, perhaps with a port as some proxies write it: `192.0.2.1:80`, `[2001:db8::1]:80`.
  private static func hop(_ range: Range<Int>, in bytes: borrowing RawSpan) -> IPAddress? {
    if let address = IPAddress(range, in: bytes) { return address }
    guard let colon = bytes.lastIndex(of: ASCII.colon, in: range) else { return nil }
    let isBracketed = bytes.byte(range.lowerBound) == UInt8(ascii: "[")
    if isBracketed, bytes.byte(range.upperBound - 1) == UInt8(ascii: "]") {
      return v6(range.lowerBound..<range.upperBound, in: bytes)
    }
    guard let port = bytes.decimal(colon + 1..<range.upperBound), port <= 65_535 else { return nil }
    if isBracketed { return v6(range.lowerBound..<colon, in: bytes) }
    // Without brackets nobody can tell where an IPv6 address ends.
    guard bytes.firstIndex(of: ASCII.colon, in: range) == colon else { return nil }
    return IPAddress(range.lowerBound..<colon, in: bytes)
  }

  /// `[address]`
  private static func v6(_ range: Range<Int>, in bytes: borrowing RawSpan) -> IPAddress? {
    guard range.count > 2, bytes.byte(range.upperBound - 1) == UInt8(ascii: "]") else { return nil }
    let inner = range.lowerBound + 1..<range.upperBound - 1
    guard bytes.firstIndex(of: ASCII.colon, in: inner) != nil else { return nil }
    return IPAddress(inner, in: bytes)
  }
}
