/// The top-level keys of a message that mean something to us.
enum EnvelopeKey: Int, CaseIterable {
  case type, room, payload, sender, timestamp, id, offset
  case recipient, clientID, origin, node, epoch, token, version, count

  /// `nil` when `key` is none of ours.
  @inline(__always)
  init?(_ key: JSONString, in bytes: RawSpan) {
    if key.isEscaped {
      let decoded = key.decoded(in: bytes)
      self.init(unsafe decoded.span.bytes, decoded.indices)
    } else {
      self.init(bytes, key.contents)
    }
  }

  private init?(_ bytes: RawSpan, _ range: Range<Int>) {
    @inline(__always) func holds(_ name: StaticString) -> Bool { bytes.holds(name, at: range) }
    switch range.count {
    case 2 where holds("id"): self = .id
    case 4 where holds("type"): self = .type
    case 4 where holds("room"): self = .room
    case 4 where holds("node"): self = .node
    case 5 where holds("epoch"): self = .epoch
    case 5 where holds("token"): self = .token
    case 5 where holds("count"): self = .count
    case 6 where holds("sender"): self = .sender
    case 6 where holds("origin"): self = .origin
    case 6 where holds("offset"): self = .offset
    case 7 where holds("payload"): self = .payload
    case 7 where holds("version"): self = .version
    case 9 where holds("timestamp"): self = .timestamp
    case 9 where holds("client_id"): self = .clientID
    case 12 where holds("recipient_id"): self = .recipient
    default: return nil
    }
  }
}
