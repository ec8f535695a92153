extension JSONString {
  /// The UTF-8 bytes that the string means: two strings are equal when these are, however they were written.
  ///
  /// This is the key by which client ids are compared.
  public func decoded(in bytes: RawSpan) -> [UInt8] {
    guard isEscaped else { return bytes.array(contents) }
    var result: [UInt8] = []
    result.reserveCapacity(contents.count)
    var index = contents.lowerBound
    while index < contents.upperBound {
      if bytes.byte(index) == UInt8(ascii: "\\") {
        index = Self.decodeEscape(bytes, from: index, into: &result)
      } else {
        result.append(bytes.byte(index))
        index += 1
      }
    }
    return result
  }

  /// The text that the string means.
  public func text(in bytes: RawSpan) -> String {
    isEscaped ? String(decoding: decoded(in: bytes), as: UTF8.self) : bytes.text(contents)
  }

  /// Whether the string means `name`, which is plain ASCII.
  @inline(__always)
  public func matches(_ name: StaticString, in bytes: RawSpan) -> Bool {
    isEscaped ? decodedMatches(name, in: bytes) : bytes.holds(name, at: contents)
  }

  /// How many Unicode scalars the string means; escapes count as what they stand for.
  public func scalarCount(in bytes: RawSpan) -> Int {
    guard !isEscaped else { return decoded(in: bytes).count { $0 & 0xC0 != 0x80 } }
    return contents.count { bytes.byte($0) & 0xC0 != 0x80 }
  }

  @inline(never)
  private func decodedMatches(_ name: StaticString, in bytes: RawSpan) -> Bool {
    let decoded = decoded(in: bytes)
    return unsafe decoded.span.bytes.holds(name, at: decoded.indices)
  }

  /// Appends what the escape at `start` stands for and answers where it ends. It was scanned before.
  private static func decodeEscape(_ bytes: RawSpan, from start: Int, into result: inout [UInt8]) -> Int {
    let letter = bytes.byte(start + 1)
    switch letter {
    case UInt8(ascii: "b"): result.append(0x08)
    case UInt8(ascii: "f"): result.append(0x0C)
    case UInt8(ascii: "n"): result.append(0x0A)
    case UInt8(ascii: "r"): result.append(0x0D)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "u"): return decodeUnits(bytes, from: start, into: &result)
    default: result.append(letter)
    }
    return start + 2
  }

  private static func decodeUnits(_ bytes: RawSpan, from start: Int, into result: inout [UInt8]) -> Int {
    func unit(_ place: Int) -> UInt32 {
      (place..<place + 4).reduce(0) { $0 << 4 | UInt32(hexDigit(bytes.byte($1)) ?? 0) }
    }
    var value = unit(start + 2)
    var end = start + 6
    if case 0xD800..<0xDC00 = value {
      value = 0x10000 + (value - 0xD800) << 10 + (unit(start + 8) - 0xDC00)
      end = start + 12
    }
    guard let scalar = Unicode.Scalar(value) else { preconditionFailure("half a surrogate pair passed the scanner") }
    result.append(contentsOf: scalar.utf8)
    return end
  }
}
