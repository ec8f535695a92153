/// Where a client stands in one room that it wants to be in, over all connections.
///
/// ```
///   out ──ask──► asked ──room_info──► joined ◄── new_message, ack: the next offset moves the position
///    ▲             ▲                    │ an offset was left out, or nobody takes the events:
///    │ connection  └───────ask──────────▼ what comes is not looked at
///    └─── lost ─────────────────────  behind
/// ```
///
/// The position moves by one at a time and only while joined, so that what is asked for again is exactly what the
/// user of the client has not got.
struct RoomTrack {
  enum Phase: Equatable {
    /// The server does not know of us.
    case out
    /// `join_room` with this id is under way.
    case asked(id: String, at: Int64)
    case joined
    /// We are members and have to ask again for what we missed.
    case behind
  }

  /// What a numbered message is to us.
  enum Verdict: Equatable { case next, known, gap }

  var phase = Phase.out
  /// The server has told us on this connection that we are in.
  var isMember = false
  var position: Position?
  /// What was given with the question that is under way.
  var askedSince: Position?
  /// Last messages to ask for when there is no position.
  var history = 0
  /// Not to be asked for before.
  var notBefore: Int64 = 0
  /// Who waits to be in.
  var tickets: [Int] = []
  /// It was joined on some connection, so that coming back is told as that.
  var isKnown = false
  /// The next answer is one to a new connection.
  var isReturn = false
  /// Times in a row that asking again brought nothing.
  var fruitless = 0
  var recent = RecentIDs()

  /// Wants to be asked for.
  var isWaiting: Bool { phase == .out || phase == .behind }

  /// What the message with this offset is, by the room's order.
  func verdict(_ offset: Int) -> Verdict {
    guard phase == .joined, let position, offset > position.offset else { return .known }
    return offset == position.offset + 1 ? .next : .gap
  }

  mutating func advance() {
    position?.offset += 1
    fruitless = 0
  }

  /// The connection is gone.
  mutating func lose() {
    (phase, isMember, isReturn, notBefore) = (.out, false, isKnown, 0)
  }

  /// The question has no good answer; it is asked again, not before then.
  mutating func askAgain(at moment: Int64) {
    phase = isMember ? .behind : .out
    notBefore = moment
  }

  /// Takes the answer in. Says where messages are lost.
  mutating func joined(at standing: Position, recovered: Bool) -> Bool {
    let asked = askedSince
    (phase, isMember, isKnown, askedSince, history) = (.joined, true, true, nil, 0)
    if recovered, asked != nil { return false }
    position = standing
    fruitless = 0
    return asked != nil
  }
}
