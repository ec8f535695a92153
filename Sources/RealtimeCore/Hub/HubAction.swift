/// Names a room within the hub and its shards. Used again only after every shard was told to forget the room.
public typealias RoomNumber = UInt32

/// A range within ``HubOutput/text``.
public typealias TextRange = Range<Int>

/// Why a handshake that was otherwise good is turned away.
public enum Refusal: Sendable, Equatable { case tooManyConnections, nodeFull, draining, revoked }

/// Names a user within the hub and its shards: what shards compare instead of user ids. Used again after the user's
/// last connection on this node is gone.
public typealias UserNumber = UInt32

/// One thing that happened in a room, as its members see it. Members get items in the order of the actions.
public struct RoomItem: Sendable {
  /// The text for everybody who gets no special one.
  public var text: TextRange
  /// The connection that said it: gets `ack` instead of `text`. `nil` when it is not on this node.
  public var origin: ConnectionID?
  public var ack: TextRange?
  /// This user's other connections get `ownText` instead (it carries `client_id`), or nothing when that is `nil`
  /// (who comes, goes or types is not told to himself).
  public var ownUser: UserNumber?
  public var ownText: TextRange?

  public init(
    text: TextRange, origin: ConnectionID? = nil, ack: TextRange? = nil, ownUser: UserNumber? = nil,
    ownText: TextRange? = nil
  ) {
    (self.text, self.origin, self.ack) = (text, origin, ack)
    (self.ownUser, self.ownText) = (ownUser, ownText)
  }
}

/// What the shell does for the hub, in order. Texts are JSON without framing, in ``HubOutput/text``.
public enum HubAction: Sendable {
  /// The handshake may be answered with 101; the connection counts from now on and belongs to this user.
  case admit(ConnectionID, UserNumber)
  case refuse(ConnectionID, Refusal)
  /// One message for one connection.
  case text(ConnectionID, TextRange)
  /// The connection becomes a member on its shard, then gets the text (`room_info`). Items before are not for it,
  /// items after are.
  case enter(ConnectionID, RoomNumber, RoomName, TextRange)
  /// Messages out of the past for one connection, before whatever follows. Sent as the socket takes them and not
  /// counted against the queue's limit; the shell answers with ``HubCommand/replayDrained(_:)`` once they are out.
  case replay(ConnectionID, Replay)
  /// The connection missed messages of the room: the text tells it, and from here on it gets the room's items again.
  case resync(ConnectionID, RoomNumber, TextRange)
  /// The connection is a member no longer (nothing when it was none), then gets the text.
  case exit(ConnectionID, RoomNumber, RoomName, TextRange)
  case item(RoomNumber, RoomItem)
  /// The room has no member here any more; its number may be used again.
  case forget(RoomNumber)
  /// One message for all connections of the node.
  case everyone(TextRange)
  /// The connection must end. What `departure` the `disconnect` that follows has is the shell's to know.
  case close(ConnectionID, ClosingCause)
  /// The hub's word on a client's new token: from here on it holds in the place of the old one, or it is refused as a
  /// bad one would be.
  case refreshed(ConnectionID, TokenGrant, isGood: Bool, id: [UInt8])
  case backend(ConnectionID, BackendAnswer)
  case online(ConnectionID, OnlineAnswer)
  case relay(RelayRequest, RelayTicket)
  /// The relay's calls of the same names.
  case follow(RoomName)
  case unfollow(RoomName)
  /// Somebody wants this node to drain and to end.
  case drain
  /// So many connections must go elsewhere, one after the other within so many milliseconds.
  case shed(Int, overMilliseconds: Int64)
  /// For the log, with a word that says what happened.
  case notice(HubNotice)
}

/// Why the hub ends a connection.
public enum ClosingCause: Sendable, Equatable {
  /// The client goes on sending too much although it was told.
  case rateLimitIgnored
  /// Its token was revoked.
  case revoked
  /// A backend wants it so, and perhaps says why: at most 123 bytes.
  case disconnected(words: String)
  /// The client is to go to another node, and everything it said has its answer.
  case sentAway

  /// Words of its own for the close frame.
  public var words: String? {
    if case .disconnected(let words) = self, !words.isEmpty { words } else { nil }
  }
}

public enum HubNotice: Sendable {
  case relayState(RelayState)
  case fenced(incarnation: String)
  case reaped(incarnation: String)
  /// This node has too many of the cluster's connections and sends so many away.
  case rebalances(Int)
  case badFrame(reason: String)
  /// The relay is away: so many revocations are known, and there may be others.
  case revocationsOld(count: Int)
  /// All revocations are known again.
  case revocationsCurrent(count: Int)
}
