public import Buffers

/// A message on its way to others: written once, stored and published, and the front of what every client gets.
///
///     {"type":"new_message","room":"r","payload":…,"sender":…,"timestamp":"…","id":"…" ,"client_id":"…" ,"origin":…
///     └───────────────────────── every client: visibleCount ────────────────────────┘ └─ the sender ──┘ └─ nodes
///
/// The closing brace is not there yet: whoever finishes the text adds what only it knows, such as the offset.
public struct RelayEnvelope: Equatable, Sendable {
  /// The whole text, without the closing brace.
  public let text: [UInt8]
  /// How many bytes from the start all clients may see.
  public let visibleCount: Int
  /// The contents of the server's message id in `text`; `nil` for what has none.
  public let idRange: Range<Int>?
  /// The contents of the sender's own id in `text`.
  public let clientIDRange: Range<Int>?

  /// Appends what a client gets.
  ///
  /// - Parameters:
  ///   - offset: the place in the room's order, for numbered messages.
  ///   - includingClientID: for the sender's other connections.
  ///   - isDegraded: delivered on one node alone, neither numbered nor stored.
  public func appendClientFrame(
    to buffer: inout ByteBuffer, offset: Int? = nil, includingClientID: Bool = false, isDegraded: Bool = false
  ) {
    buffer.append(unsafe text.span.bytes.extracting(0..<clientEnd(includingClientID)))
    if let offset { buffer.appendMember(offset: offset) }
    if isDegraded { buffer.append(#","degraded":true"#) }
    buffer.append(UInt8(ascii: "}"))
  }

  /// How many bytes ``appendClientFrame(to:offset:includingClientID:)`` appends for a numbered message.
  public func clientFrameCount(offset: Int, includingClientID: Bool) -> Int {
    var digits = 1
    var rest = offset.magnitude / 10
    while rest > 0 { (digits, rest) = (digits + 1, rest / 10) }
    return clientEnd(includingClientID) + #","offset":}"#.utf8.count + (offset < 0 ? 1 : 0) + digits
  }

  /// The client's id is written right behind the visible part, so both are one run of bytes.
  private func clientEnd(_ includingClientID: Bool) -> Int {
    includingClientID ? clientIDRange.map { $0.upperBound + 1 } ?? visibleCount : visibleCount
  }

  /// Appends what goes over the channel as it is: an unnumbered frame of this Redis generation's nodes.
  ///
  /// - Parameters:
  ///   - version: the room's presence version, for presence events.
  ///   - count: how many users the room has after the event.
  public func appendRelayFrame(to buffer: inout ByteBuffer, version: Int? = nil, count: Int? = nil, token: String) {
    buffer.append(text)
    if let version {
      buffer.append(#","version":"#)
      buffer.append(decimal: version)
    }
    if let count {
      buffer.append(#","count":"#)
      buffer.append(decimal: count)
    }
    buffer.appendToken(token)
  }

  /// Appends what the publishing script makes of the text: a numbered frame.
  public func appendRelayFrame(to buffer: inout ByteBuffer, epoch: String, offset: Int, token: String) {
    buffer.append(text)
    buffer.append(#","epoch":"#)
    buffer.append(jsonString: epoch)
    buffer.appendMember(offset: offset)
    buffer.appendToken(token)
  }
}

extension ByteBuffer {
  fileprivate mutating func appendToken(_ token: String) {
    append(#","token":"#)
    append(jsonString: token)
    append(UInt8(ascii: "}"))
  }
}
