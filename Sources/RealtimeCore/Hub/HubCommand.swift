/// What a client said, kept whole: one allocation, two slices.
public struct ClientText: Sendable, Equatable {
  public var bytes: [UInt8]
  /// The payload's JSON within `bytes`.
  public var payload: Range<Int>
  /// The contents of the client's own id within `bytes`, without quotes; empty when none was given.
  public var id: Range<Int>

  public init(bytes: [UInt8], payload: Range<Int>, id: Range<Int>) {
    (self.bytes, self.payload, self.id) = (bytes, payload, id)
  }
}

/// How a connection ended, which decides whether its user has time to come back before others hear of it.
public enum Departure: Sendable {
  /// The socket was lost, or the client navigated away: others are told after the leave grace.
  case lost
  /// The user left for good (closes 4001, 4500, 4501): counts at once.
  case left
  /// The node sent the client away (1012): others are told after the time it has to come back elsewhere.
  case sentAway
}

/// What a shard tells the hub, in the order it happened on that shard.
///
/// `id` is the client's own id of its message (raw JSON string contents, possibly empty); answers carry it back.
public enum HubCommand: Sendable {
  /// A handshake with a good token asks for a place. Answered by ``HubAction/admit(_:_:)`` or
  /// ``HubAction/refuse(_:_:)``; nothing else may be said for this connection before.
  case connect(ConnectionID, Identity, TokenStamp)
  /// The connection is gone, or its handshake was given up. Sent exactly once for each `connect` that was not refused.
  case disconnect(ConnectionID, Departure)
  case join(ConnectionID, RoomName, JoinWish, id: [UInt8])
  case leave(ConnectionID, RoomName, id: [UInt8])
  case send(ConnectionID, RoomName, ClientText)
  case typing(ConnectionID, RoomName, isTyping: Bool)
  /// The last messages of a room, or those before an offset; members only.
  case askHistory(ConnectionID, RoomName, limit: Int, before: Int?, id: [UInt8])
  /// All of the connection's replays have left its queue: the next one may come.
  case replayDrained(ConnectionID)
  /// Messages of a room were dropped, because the connection is slow. It gets none until ``HubAction/resync(_:_:_:)``.
  case dropped(ConnectionID, RoomNumber)
  case askOnlineUsers(ConnectionID, RoomName, id: [UInt8])
  case sendPrivate(ConnectionID, recipient: String, ClientText)
  case chat(ConnectionID, ClientText)
  /// The client gave a new token, which is good in itself; answered by
  /// ``HubAction/refreshed(_:_:isGood:id:)``.
  case refresh(ConnectionID, TokenGrant, id: [UInt8])
  /// A backend ends tokens, at most ``RelayLimits/revocationsPerRequest`` at a time, for the whole cluster; answered
  /// by ``HubAction/backend(_:_:)``. The connection is the one that asks, as it is here for all that backends ask.
  case revoke(ConnectionID, [Revocation])
  /// A backend closes all connections of a user, on every node, with 4500 and its own words; answered by
  /// ``HubAction/backend(_:_:)``. `reason` is cut to 123 bytes.
  case disconnectUser(ConnectionID, user: String, reason: String)
  /// An admin asks for something with this token; answered by ``HubAction/backend(_:_:)``, before anything is done.
  case checkToken(ConnectionID, TokenGrant)
  /// A backend sends or asks something; answered by ``HubAction/backend(_:_:)``.
  case serve(ConnectionID, BackendWish)
  /// `GET /ws/online`; answered by ``HubAction/online(_:_:)``.
  case askOnline(ConnectionID)
  /// A backend wants a node to drain, by its name or its node id; answered by ``HubAction/backend(_:_:)``.
  case drainNode(ConnectionID, node: String)
  /// The node begins to drain: others shall know.
  case beginDrain
  /// The connection must go: it is read no more. Answered by ``HubAction/close(_:_:)`` with ``ClosingCause/sentAway``
  /// when everything it said has its answer, or when that takes too long.
  case sendAway(ConnectionID)
  /// The node's clients are gone, and it goes: nothing of it counts any longer, and users who are still thought to be
  /// here leave when they are not back elsewhere in time.
  case depart(graceMilliseconds: Int)
}

public struct OnlineNumbers: Sendable, Equatable {
  public var connections: Int
  public var users: Int
  public var nodes: Int

  public init(connections: Int, users: Int, nodes: Int) {
    (self.connections, self.users, self.nodes) = (connections, users, nodes)
  }
}

/// The cluster's numbers, or this node's while the relay is away.
public struct OnlineAnswer: Sendable, Equatable {
  /// What the cluster was, so many milliseconds ago.
  public struct Known: Sendable, Equatable {
    public var numbers: OnlineNumbers
    public var ageMilliseconds: Int64
  }

  public var numbers: OnlineNumbers
  public var isClusterWide: Bool
  /// How old the numbers are.
  public var ageMilliseconds: Int64
  /// Beside the node's own numbers: the last that the relay told, if it ever did.
  public var lastKnown: Known?
  public var relay: RelayState
  public var trouble: RelayTrouble?

  public init(
    _ numbers: OnlineNumbers, isClusterWide: Bool, ageMilliseconds: Int64 = 0, relay: RelayState = .connected,
    trouble: RelayTrouble? = nil
  ) {
    (self.numbers, self.isClusterWide, self.ageMilliseconds) = (numbers, isClusterWide, ageMilliseconds)
    (self.relay, self.trouble) = (relay, trouble)
  }
}
