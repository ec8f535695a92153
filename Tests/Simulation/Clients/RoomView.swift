import RealtimeCore

/// What a client knows of one room: whether it is in, and up to where it has everything.
struct RoomView {
  enum Stage { case outside, joining, inside, leaving }

  var stage = Stage.outside
  /// The client means to be in the room, over reconnects too.
  var isWanted = false
  /// The last place received, acks included.
  var position: Position?
  /// The position that the join on its way names.
  var asked: Position?
  /// The first message made after the way in: acks of older ones belong to an earlier stay.
  var firstContent = 0
  /// Where the last resync led: what lies below was announced, though its acks may still come.
  var jumpedTo = 0
  /// Messages shown since the client last came in with nothing: under which epoch, and when (ms).
  var seen: [Int: (epoch: String, time: Int64)] = [:]
  /// The last presence event of each user since the way in: true for joined.
  var lastEvent: [Int: Bool] = [:]
  /// Who is in the room, by its `room_info` and all events since.
  var present: Set<Int> = []
  /// When the client came in (ms).
  var since: Int64 = 0
  /// Messages without an answer, oldest first.
  var unacked: [Int] = []
  /// Of these, the ones to send again: their outcome is unknown.
  var refused: Set<Int> = []
}
