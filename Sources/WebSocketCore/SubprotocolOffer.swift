import Buffers

/// The names a client offers in `Sec-WebSocket-Protocol` (RFC 6455, section 4.1), in its order.
///
/// Names are tokens as in RFC 7230, section 3.2.6. A compact JWT is one: base64url digits and dots. So is
/// `bearer.<token>`. The value is read once from left to right, whatever it holds.
public struct SubprotocolOffer: Equatable, Sendable {
  /// Names in one offer, which keeps the search for duplicates cheap.
  public static let nameLimit = 16

  /// Never empty strings, never two alike.
  public private(set) var names: [String] = []

  /// What a client can do wrong here. All of it is answered with status 400.
  public enum Problem: Error, Equatable, Sendable {
    /// Nothing between two commas, or at either end.
    case emptyName
    /// A character, or a space within a name, that no token has.
    case notAToken
    case duplicate
    /// More than ``nameLimit``.
    case tooMany
  }

  public init() {}

  /// Adds the value of one header field; several fields are one list.
  public mutating func add(_ value: borrowing RawSpan) throws(Problem) {
    var start = 0
    for place in 0...value.byteCount where place == value.byteCount || value.byte(at: place) == UInt8(ascii: ",") {
      try addName(value.extracting(start..<place))
      start = place + 1
    }
  }

  private mutating func addName(_ padded: borrowing RawSpan) throws(Problem) {
    var (start, end) = (0, padded.byteCount)
    while start < end && Self.isSpace(padded.byte(at: start)) { start += 1 }
    while end > start && Self.isSpace(padded.byte(at: end - 1)) { end -= 1 }
    guard start < end else { throw .emptyName }
    for place in start..<end where !Self.isTokenCharacter(padded.byte(at: place)) { throw .notAToken }
    guard names.count < Self.nameLimit else { throw .tooMany }
    let name = String(decoding: (start..<end).map { padded.byte(at: $0) }, as: UTF8.self)
    guard !names.contains(name) else { throw .duplicate }
    names.append(name)
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// `tchar` of RFC 7230.
  static func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"),
      UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"),
      UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }
}
