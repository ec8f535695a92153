extension IPAddress {
  /// Reads an address in numbers; nil when the text is anything else: a name, a zone (`%eth0`), a number with a leading
  /// zero (octal to some readers, decimal to others).
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    unsafe self.init(0..<bytes.count, in: bytes.span.bytes)
  }

  /// Reads the address that `range` holds and nothing else.
  public init?(_ range: Range<Int>, in bytes: borrowing RawSpan) {
    if bytes.firstIndex(of: ASCII.colon, in: range) == nil {
      guard let v4 = Self.v4(range, in: bytes) else { return nil }
      self.init(v4: v4)
    } else {
      guard let address = Self.v6(range, in: bytes) else { return nil }
      self = address
    }
  }

  /// Four decimal numbers with dots between.
  private static func v4(_ range: Range<Int>, in bytes: borrowing RawSpan) -> UInt32? {
    var address: UInt32 = 0
    var start = range.lowerBound
    for part in 1...4 {
      let dot = bytes.firstIndex(of: ASCII.dot, in: start..<range.upperBound)
      guard (dot == nil) == (part == 4) else { return nil }
      let end = dot ?? range.upperBound
      guard
        end - start <= 3, let number = bytes.decimal(start..<end), number <= 255,
        end - start == 1 || bytes.byte(start) != UInt8(ascii: "0")
      else { return nil }
      address = address << 8 | UInt32(number)
      start = min(end + 1, range.upperBound)
    }
    return address
  }

  /// Groups of hexadecimal digits with colons between, the last two perhaps as IPv4, one run of zeros perhaps as `::`
  /// (RFC 4291 section 2.2).
  private static func v6(_ range: Range<Int>, in bytes: borrowing RawSpan) -> IPAddress? {
    var groups = InlineArray<8, UInt16>(repeating: 0)
    var count = 0
    /// How many groups stand before `::`.
    var gap: Int?
    var place = range.lowerBound
    if range.count >= 2, bytes.byte(place) == ASCII.colon {
      guard bytes.byte(place + 1) == ASCII.colon else { return nil }
      gap = 0
      place += 2
    }
    while place < range.upperBound {
      let end = bytes.firstIndex(of: ASCII.colon, in: place..<range.upperBound) ?? range.upperBound
      if end == range.upperBound, bytes.firstIndex(of: ASCII.dot, in: place..<end) != nil {
        guard count <= 6, let tail = v4(place..<end, in: bytes) else { return nil }
        groups[count] = UInt16(tail >> 16)
        groups[count + 1] = UInt16(truncatingIfNeeded: tail)
        count += 2
        break
      }
      guard count < 8, let group = group(place..<end, in: bytes) else { return nil }
      groups[count] = group
      count += 1
      guard end < range.upperBound else { break }
      place = end + 1
      // A colon is followed by something.
      guard place < range.upperBound else { return nil }
      if bytes.byte(place) == ASCII.colon {
        guard gap == nil else { return nil }
        gap = count
        place += 1
      }
    }
    guard gap == nil ? count == 8 : count < 8 else { return nil }
    return assembled(groups, count, gap: gap ?? count)
  }

  private static func group(_ range: Range<Int>, in bytes: borrowing RawSpan) -> UInt16? {
    guard (1...4).contains(range.count) else { return nil }
    var group: UInt16 = 0
    for index in range {
      guard let digit = ASCII.hexadecimal(bytes.byte(index)) else { return nil }
      group = group << 4 | UInt16(digit)
    }
    return group
  }

  private static func assembled(_ groups: InlineArray<8, UInt16>, _ count: Int, gap: Int) -> IPAddress {
    var (high, low) = (UInt64(0), UInt64(0))
    for place in 0..<8 {
      let zeros = 8 - count
      let group = place < gap ? groups[place] : place < gap + zeros ? 0 : groups[place - zeros]
      if place < 4 { high = high << 16 | UInt64(group) } else { low = low << 16 | UInt64(group) }
    }
    return IPAddress(high: high, low: low)
  }
}
