/// The name of a room: 1 to 128 bytes of `A-Z a-z 0-9 . _ : -`.
///
/// Checked once, where it enters. Code that holds a `RoomName` never checks again: the name is safe in Redis keys
/// and needs no escaping in JSON.
public struct RoomName: Hashable, Sendable {
  /// The longest name, in bytes.
  public static let byteLimit = 128

  /// The name as it stands on the wire.
  public let text: String

  /// `nil` when `text` is not a room name.
  public init?(_ text: String) {
    guard 1...Self.byteLimit ~= text.utf8.count, text.utf8.allSatisfy(Self.allows) else { return nil }
    self.text = text
  }

  /// The name that the bytes in `range` spell, escapes not looked at; `nil` when that is not a room name.
  public init?(_ bytes: RawSpan, _ range: Range<Int>) {
    guard 1...Self.byteLimit ~= range.count else { return nil }
    for index in range where !Self.allows(bytes.byte(index)) { return nil }
    text = bytes.text(range)
  }

  /// The name that `string` means; `nil` when that is not a room name.
  public init?(_ string: JSONString, in bytes: RawSpan) {
    if string.isEscaped { self.init(string.text(in: bytes)) } else { self.init(bytes, string.contents) }
  }

  private static func allows(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
