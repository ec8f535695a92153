import LoadGenerator

/// A client as SPEC section 2 wants it: keeps its position in every room, comes back with it, and says again under the
/// same id what it got no answer for.
struct CheckingClient {
  enum Phase: Equatable {
    /// Not connected until then.
    case waiting(until: Int64)
    case connecting(since: Int64)
    case open
    /// Ended for good.
    case gone
  }

  enum Membership: Equatable {
    case outside
    /// `join_room` was sent, with that position.
    case asking(since: Position?)
    case refused(retryAt: Int64)
    case inside
  }

  /// A message without an ack.
  struct Outstanding {
    let room: String
    /// When to say it again; `nil` while an answer may come.
    var retryAt: Int64?
    let size: Int
  }

  let user: String
  let rooms: [String]
  /// Connects through the gate in front of the node, where its connection can be held up.
  let usesGate: Bool
  /// The node it insists on for its next connection; else any.
  var home: Int?
  var phase: Phase
  var tag: Int?
  /// Where it is, or was last, connected.
  var node = 0
  var failures = 0
  var memberships: [String: Membership] = [:]
  var outstanding: [String: Outstanding] = [:]
  /// A `join_room` was refused and must be sent again.
  var hasRefusal = false
  var counter = 0
  /// Its connections may end now without anybody's fault.
  var isExcused = false
  /// Ends its connection by a reset as soon as this is so.
  var cut: Cut?
  /// Says nothing by itself.
  var isSilent = false
  /// The node has announced that it will close the connection, and how long to wait then.
  var toldToWait: Int64?
  /// When its connection ended; `nil` when it is back in all its rooms.
  var lostAt: Int64?

  enum Cut { case afterAck, inReplay }

  init(user: String, rooms: [String], usesGate: Bool, home: Int? = nil, from time: Int64) {
    (self.user, self.rooms, self.usesGate, self.home) = (user, rooms, usesGate, home)
    phase = .waiting(until: time)
  }

  var isInside: Bool { phase == .open && rooms.allSatisfy { memberships[$0] == .inside } }

  mutating func nextMessage() -> Said {
    counter += 1
    return Said(by: user, number: counter)
  }
}
