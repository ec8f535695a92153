import RealtimeCore

/// What the answer to a request looks like, and what of the question it needs.
enum RequestShape {
  case publish(RoomName, count: Int)
  case read([(room: RoomName, known: Position?)])
  case roster(RoomName)
  case history
  case counted(Int)
  case changed, alive, reaped, online, sent, revoked
  /// After which position.
  case revocations(Int)

  enum Sort {
    case publish, read, history, roster, counted, changed, alive, reaped, online, sent, revoked, revocations
  }

  var sort: Sort {
    switch self {
    case .publish: .publish
    case .read: .read
    case .history: .history
    case .roster: .roster
    case .counted: .counted
    case .changed: .changed
    case .alive: .alive
    case .reaped: .reaped
    case .online: .online
    case .sent: .sent
    case .revoked: .revoked
    case .revocations: .revocations
    }
  }

  /// What a refusal for `trouble` is about.
  func subject(_ trouble: RelayTrouble) -> Refusals.Subject {
    switch self {
    case .publish(let room, _): trouble.isOfOneRoom ? .room(room) : .publishing
    case .roster(let room) where trouble.isOfOneRoom: .room(room)
    default: .request(sort)
    }
  }
}

/// What the next reply of the command connection will be. Redis answers in order.
struct PendingReply {
  enum Kind {
    case acknowledgement
    case info
    case script(Script)
    case boot
    case probe(Int)
    case rehearsal
    case advice(ServerAdvice)
    case request(RelayTicket, RequestShape)
  }

  let kind: Kind
  let sentAt: Int64
  /// The same on the clock for measuring.
  let sentNanoseconds: Int64
}

/// First in, first out.
struct PendingReplies {
  private var entries: ContiguousArray<PendingReply?> = []
  private var head = 0

  var count: Int { entries.count - head }
  /// When the oldest was sent.
  var oldest: Int64? { head < entries.count ? entries[head]?.sentAt : nil }

  mutating func append(_ kind: PendingReply.Kind, now: Int64, nanoseconds: Int64) {
    entries.append(PendingReply(kind: kind, sentAt: now, sentNanoseconds: nanoseconds))
  }

  mutating func popFirst() -> PendingReply? {
    guard head < entries.count else { return nil }
    let first = entries[head].take()
    head += 1
    if head == entries.count || head >= 1_024 {
      entries.removeFirst(head)
      head = 0
    }
    return first
  }
}
