import RealtimeCore

/// Redis said something that this relay cannot have asked for. The connection is of no more use.
enum MalformedReply: Error, Equatable { case protocolError, tooLong, unexpectedShape }

/// One reply as a flat list in reading order: an array's item is followed by its elements.
///
/// Flat, because a reply may hold ten thousand messages: two allocations instead of one per element. Readers take
/// item by item and throw at the first that is not what they asked for; nothing in it is trusted.
struct Reply {
  enum Item: Equatable {
    case array(Int)
    case integer(Int)
    /// A bulk or simple string: a range of ``bytes``.
    case text(Range<Int>)
    case error(Range<Int>)
    case null
  }

  private(set) var items: [Item] = []
  private(set) var bytes: [UInt8] = []
  private var position = 0

  // MARK: Writing

  mutating func removeAll() {
    items.removeAll(keepingCapacity: bytes.count < Self.keptBytes)
    bytes.removeAll(keepingCapacity: bytes.count < Self.keptBytes)
    position = 0
  }

  mutating func append(_ item: Item) { items.append(item) }

  mutating func append(_ text: UnsafeRawBufferPointer, isError: Bool = false) {
    let start = bytes.count
    unsafe bytes.append(contentsOf: text)
    items.append(isError ? .error(start..<bytes.count) : .text(start..<bytes.count))
  }

  // MARK: Reading

  /// The words of an error reply, or `nil` when it is none.
  var errorText: String? {
    guard case .error(let range)? = items.first else { return nil }
    return Self.sanitised(bytes[range])
  }

  mutating func takeArray() throws(MalformedReply) -> Int {
    guard case .array(let count) = try take() else { throw .unexpectedShape }
    return count
  }

  mutating func takeInteger() throws(MalformedReply) -> Int {
    guard case .integer(let number) = try take() else { throw .unexpectedShape }
    return number
  }

  /// An offset, a version or a count.
  mutating func takeNumber() throws(MalformedReply) -> Int {
    let number = try takeInteger()
    guard 0...RelayLimits.highestNumber ~= number else { throw .unexpectedShape }
    return number
  }

  mutating func takeRange() throws(MalformedReply) -> Range<Int> {
    guard case .text(let range) = try take() else { throw .unexpectedShape }
    return range
  }

  mutating func takeBytes() throws(MalformedReply) -> [UInt8] { Array(bytes[try takeRange()]) }
  mutating func takeString() throws(MalformedReply) -> String {
    String(decoding: bytes[try takeRange()], as: UTF8.self)
  }

  /// Steps over a null and says whether there was one.
  mutating func takeNull() -> Bool {
    guard position < items.count, items[position] == .null else { return false }
    position += 1
    return true
  }

  private mutating func take() throws(MalformedReply) -> Item {
    guard position < items.count else { throw .unexpectedShape }
    defer { position += 1 }
    return items[position]
  }

  /// What may be shown in a log: printable ASCII, cut. Redis' words are not ours; those about a command it does not
  /// know repeat what was said, and that may have been a password.
  private static func sanitised(_ bytes: ArraySlice<UInt8>) -> String {
    let text = String(
      decoding: bytes.prefix(160).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    return text.firstRange(of: "with args").map { text[..<$0.lowerBound] + "…" } ?? text
  }

  private static var keptBytes: Int { 65_536 }
}
