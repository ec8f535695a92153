public import Buffers

/// The server's id of a message, made before the first try: `<incarnation>-<counter>`.
///
/// It stays the same on retries and replays. At most 40 ASCII characters, as long as the incarnation has at most 19.
public struct MessageID: Hashable, Sendable {
  /// Which run of which node made it.
  public let incarnation: String
  /// Counts this incarnation's messages.
  public let counter: UInt

  public init(incarnation: String, counter: UInt) {
    self.incarnation = incarnation
    self.counter = counter
  }

  /// Appends the text, without quotes. An incarnation is made by us and needs no escaping.
  public func append(to buffer: inout ByteBuffer) {
    buffer.append(incarnation)
    buffer.append(UInt8(ascii: "-"))
    buffer.append(decimal: counter)
  }
}
