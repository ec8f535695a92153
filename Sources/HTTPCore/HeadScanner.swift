/// Finds the end of a message head, looking at each byte once however the network cuts them.
///
/// Refuses what no head may contain as soon as it arrives, so that neither a flood nor a trickle is kept waiting for
/// an end that will not come. What the lines mean is read afterwards, once.
struct HeadScanner: Equatable, Sendable {
  /// Bytes already looked at.
  private var scanned: UInt16 = 0
  private var lineStart: UInt16 = 0
  /// Where the header block starts; 0 while the start line is not complete.
  private(set) var fieldsStart: UInt16 = 0
  private(set) var fieldCount: UInt16 = 0

  /// What may be scanned before the end has to come, in bytes and lines.
  struct Limits {
    var startLineBytes: Int
    var fieldBytes: Int
    var fieldCount: Int
  }

  /// Goes on where the last call stopped. `bytes` start at the head's first byte.
  ///
  /// - Returns: how many bytes the head has, its last empty line included, or nil while it is not complete.
  mutating func scan(_ bytes: borrowing RawSpan, limits: Limits) throws(RequestError) -> Int? {
    precondition(limits.startLineBytes + limits.fieldBytes + 2 <= Int(UInt16.max), "positions are kept in 16 bits")
    var index = Int(scanned)
    while index < bytes.byteCount {
      let byte = bytes.byte(index)
      if byte == ASCII.carriageReturn {
        guard index &+ 1 < bytes.byteCount else { break }
        guard bytes.byte(index &+ 1) == ASCII.lineFeed else { throw .controlCharacter }
        if index == Int(lineStart) {
          guard fieldsStart > 0 else { throw .malformedRequestLine }
          return index &+ 2
        }
        try checkRoom(upTo: index &+ 2, limits)
        try endLine(at: index &+ 2, limits)
        index &+= 2
      } else {
        // A tab may stand in a header value; no other control character may stand anywhere.
        guard !ASCII.isControl(byte) || (byte == ASCII.tab && fieldsStart > 0) else { throw .controlCharacter }
        try checkRoom(upTo: index &+ 1, limits)
        index &+= 1
      }
    }
    scanned = UInt16(index)
    return nil
  }

  private func checkRoom(upTo end: Int, _ limits: Limits) throws(RequestError) {
    if fieldsStart == 0 {
      guard end <= limits.startLineBytes else { throw .targetTooLong }
    } else {
      guard end &- Int(fieldsStart) <= limits.fieldBytes else { throw .headersTooLarge }
    }
  }

  private mutating func endLine(at next: Int, _ limits: Limits) throws(RequestError) {
    if fieldsStart == 0 {
      fieldsStart = UInt16(next)
    } else {
      fieldCount &+= 1
      guard Int(fieldCount) <= limits.fieldCount else { throw .tooManyHeaders }
    }
    lineStart = UInt16(next)
  }
}
