/// A connection on its way into a room that needs something of the past first.
struct Returner {
  enum State: Equatable {
    /// To be looked at.
    case asks
    /// The question on its way is for it too.
    case isAsked
    /// Looked at again later: the relay failed, or the stream is not there yet.
    case waits(until: Int64)
    /// Its client has to take what it was given first. Its patience does not run meanwhile.
    case awaitsDrain
  }

  var entrant: Entrant
  var state = State.asks
}

/// How a connection begins in a room: what it is told, and what it gets out of the past.
struct Welcome {
  var standing: ServerMessage.Standing
  var messages: ArraySlice<PastMessage>

  init(
    _ position: Position, recovered: Bool? = nil, reason: StaticString? = nil, messages: ArraySlice<PastMessage> = []
  ) {
    let offset = messages.first.map { $0.offset - 1 } ?? position.offset
    standing = .init(epoch: position.epoch, offset: offset, recovered: recovered, reason: reason)
    self.messages = messages
  }

  /// About how many bytes the past is.
  var byteCount: Int { messages.reduce(0) { $0 + $1.byteCount } }
}

/// Whether an entrant's wish can be answered.
enum Outlook {
  case ready(Welcome)
  case needsRead(Position)
  case needsHistory(Int)
  /// The stream has to get somewhere first.
  case waits
}

/// What one connection was given of the past and did not take yet.
struct Outstanding {
  var bytes = 0
  /// Rooms that it waits in for its next turn.
  var rooms: [RoomNumber] = []
}
