/// The name of a room: 1 to 128 bytes of `a-z A-Z 0-9 . _ : -`.
///
/// Checked once, where it enters; it becomes part of Redis keys. Code that holds a `RoomName` never checks again.
public struct RoomName: Hashable, Sendable {
  public let text: String

  public init?(_ text: String) {
    guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy(Self.allows) else { return nil }
    self.text = text
  }

  static func allows(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
