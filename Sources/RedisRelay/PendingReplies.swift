import RealtimeCore

/// What the answer to a request looks like, and what of the question it needs.
enum RequestShape {
  case publish(count: Int)
  case read([(room: RoomName, known: Position?)])
  case history
  case changed, alive, reaped, roster, online, sent
}

/// What the next reply of the command connection will be. Redis answers in order.
struct PendingReply {
  enum Kind {
    case acknowledgement
    case info
    case script(Script)
    case boot
    case probe
    case request(RelayTicket, RequestShape)
  }

  let kind: Kind
  let sentAt: Int64
}

/// First in, first out.
struct PendingReplies {
  private var entries: ContiguousArray<PendingReply?> = []
  private var head = 0

  var count: Int { entries.count - head }
  /// When the oldest was sent.
  var oldest: Int64? { head < entries.count ? entries[head]?.sentAt : nil }

  mutating func append(_ kind: PendingReply.Kind, now: Int64) {
    entries.append(PendingReply(kind: kind, sentAt: now))
  }

  mutating func popFirst() -> PendingReply.Kind? {
    guard head < entries.count else { return nil }
    let first = entries[head].take()
    head += 1
    if head == entries.count || head >= 1_024 {
      entries.removeFirst(head)
      head = 0
    }
    return first?.kind
  }
}
