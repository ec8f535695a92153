/// Carries messages and presence between the nodes of a cluster.
///
/// Calls never block. Every request gets exactly one reply event; replies about one room come in the order of the
/// requests, except that ``RelayFailure`` may come at any time. Beside replies a relay reports frames that other nodes
/// (or other programs) published, and changes of its own state.
///
/// What every implementation promises:
/// - A room's messages are numbered 1, 2, 3 … within an epoch, and stored, before their publish is answered. Messages
///   of one request are numbered in their order and next to each other.
/// - A publication whose digest (user, room, client id) was stored within two minutes in this generation is answered
///   with the first position and stored no second time.
/// - A stored message also comes as a frame to every node that is subscribed, at most once and perhaps never:
///   after ``RelayEvent/resubscribed``, or on a gap, `read` tells what was missed, or that it is not known.
/// - `read` proves completeness: what it returns is everything above the known position, or `isComplete` is false.
/// - A presence change counts once per node incarnation; the first node's join and the last node's leave of a user
///   in a room publish exactly one frame. A fenced incarnation changes nothing.
/// - A revocation that was answered is stored until its end, and every node that is subscribed is told that there is
///   something to read. Of two with one key the later bounds hold; reading from any position leaves none out.
/// - A room that is followed is as if subscribed for it alone: its frames come from ``RelayEvent/followed(_:)`` on,
///   until it is unfollowed, and what was missed before is for `read` to tell. Frames of other rooms may come, or not.
/// - A failed request has an unknown outcome: it may have run, and it may still run. Sending it again is safe.
public protocol Relay: ~Copyable {
  mutating func submit(_ request: RelayRequest, ticket: RelayTicket)
  /// Moves what happened since the last call to the end of `events`.
  mutating func takeEvents(into events: inout [RelayEvent])
  /// This node has members in the room, and wants what is said there. No request, and never refused: over lost
  /// connections the relay remembers it.
  mutating func follow(_ room: RoomName)
  /// It has none any more.
  mutating func unfollow(_ room: RoomName)
}

extension Relay where Self: ~Copyable {
  /// A relay that hands on what is said in all rooms has nothing to do.
  public mutating func follow(_ room: RoomName) {}
  public mutating func unfollow(_ room: RoomName) {}
}

/// Names a request, so that its reply finds its asker.
public typealias RelayTicket = UInt64

/// One message on its way into a room's history.
public struct Publication: Sendable, Equatable {
  /// The relay envelope without its closing brace; the relay completes it.
  public var text: [UInt8]
  /// The sender's user id and the client's own id of the message; with the room they make the digest.
  public var userID: String
  public var clientID: [UInt8]

  public init(text: [UInt8], userID: String, clientID: [UInt8]) {
    (self.text, self.userID, self.clientID) = (text, userID, clientID)
  }
}

/// A place in a room's run of offsets. Epochs are compared, never ordered.
public struct Position: Hashable, Sendable {
  public var epoch: String
  public var offset: Int

  public init(epoch: String, offset: Int) { (self.epoch, self.offset) = (epoch, offset) }
}

public struct PublishOutcome: Sendable, Equatable {
  public var position: Position
  /// The message had been stored before; `position` is where.
  public var isDuplicate: Bool

  public init(position: Position, isDuplicate: Bool) {
    (self.position, self.isDuplicate) = (position, isDuplicate)
  }
}

/// A user comes to, or goes from, a room on one node; without a room: comes online or goes offline there.
public struct PresenceChange: Sendable, Equatable {
  public var room: RoomName?
  public var user: String
  public var name: String
  public var isJoin: Bool
  /// False when a node makes known again what others have seen already (a new generation): no frame is published.
  public var isAnnounced: Bool

  public init(room: RoomName?, user: String, name: String, isJoin: Bool, isAnnounced: Bool = true) {
    (self.room, self.user, self.name, self.isJoin) = (room, user, name, isJoin)
    self.isAnnounced = isAnnounced
  }
}

/// How many connections a user has on one node.
public struct UserCount: Sendable, Equatable {
  public var user: String
  /// Nil: only asks how many there are elsewhere.
  public var connections: Int?

  public init(user: String, connections: Int?) { (self.user, self.connections) = (user, connections) }
}

/// Who is in a room, cluster-wide, and where its messages stand, at one instant.
public struct Roster: Sendable, Equatable {
  /// All members, or 100 of them when there are more than 200.
  public var members: [Identity]
  public var count: Int
  /// The room's top; a room without messages has an epoch and offset 0.
  public var top: Position
  /// Orders rosters and presence frames of one room: microseconds, never going back.
  public var version: Int

  public init(members: [Identity], count: Int, top: Position, version: Int) {
    (self.members, self.count, self.top, self.version) = (members, count, top, version)
  }
}

/// What lies above a known position of one room.
public struct RoomRead: Sendable, Equatable {
  public var room: RoomName
  /// The position the question named, returned so that the answer is judged by what was asked.
  public var known: Position?
  /// `nil`: the relay knows nothing about this room (any more).
  public var top: Position?
  /// Envelopes in order, without closing braces, from `known.offset + 1` on when `isComplete`.
  public var messages: [(offset: Int, text: [UInt8])]
  /// Everything above the known position is here.
  public var isComplete: Bool

  public init(
    room: RoomName, known: Position?, top: Position?, messages: [(offset: Int, text: [UInt8])], isComplete: Bool
  ) {
    (self.room, self.known, self.top) = (room, known, top)
    (self.messages, self.isComplete) = (messages, isComplete)
  }

  public static func == (left: Self, right: Self) -> Bool {
    left.room == right.room && left.known == right.known && left.top == right.top
      && left.isComplete == right.isComplete
      && left.messages.elementsEqual(right.messages) { $0.offset == $1.offset && $0.text == $1.text }
  }
}

/// The last messages of a room, or of the part before an offset.
public struct RoomHistory: Sendable {
  /// `nil`: the relay knows nothing about this room (any more).
  public var top: Position?
  /// Envelopes in order, without closing braces, next to each other.
  public var messages: [(offset: Int, text: [UInt8])]

  public init(top: Position?, messages: [(offset: Int, text: [UInt8])]) { (self.top, self.messages) = (top, messages) }
}

public enum RelayRequest: Sendable {
  /// Stores and hands on messages of one room, at most ``RelayLimits/publicationsPerRequest``. → `published`
  case publish(RoomName, [Publication])
  /// What is above the known positions, at most ``RelayLimits/roomsPerRead`` rooms. → `read`
  case read([(room: RoomName, known: Position?)])
  /// At most `limit` (1–100) messages of a room, the last ones before `before` (or of all). → `history`
  case history(RoomName, before: Int?, limit: Int)
  /// At most ``RelayLimits/changesPerRequest`` changes of `incarnation`. → `presenceChanged` or `fenced`
  case changePresence(incarnation: String, [PresenceChange])
  /// This node's connections now. → `presenceChanged` or `fenced`
  case countConnections(incarnation: String, Int)
  /// Connections of users of this node, at most ``RelayLimits/usersPerCount``; those of users who are not known to be
  /// online here, by ``changePresence(incarnation:_:)``, change nothing. → `counted`
  case countUsers(incarnation: String, [UserCount])
  /// Renews the lease; tells who lives and whose lease ended. → `alive` or `fenced`
  case heartbeat(incarnation: String, connections: Int, isDraining: Bool = false)
  /// Makes a new incarnation known without any event; `replaces` will be reaped. → `alive`
  case register(incarnation: String, replaces: String?, connections: Int)
  /// Ends the lease at once and leaves the memberships to a reap after `graceMilliseconds`. → `presenceChanged`
  case depart(incarnation: String, graceMilliseconds: Int)
  /// Undoes a slice of what a dead incarnation had added. → `reaped`
  case reap(incarnation: String)
  /// → `roster`
  case roster(RoomName)
  /// → `online`
  case online
  /// Stores revocations, at most ``RelayLimits/revocationsPerRequest``, and tells all nodes that there are more.
  /// → `revoked`
  case revoke([Revocation])
  /// The next revocations that the relay learnt after a position; 0 is its beginning. → `revocations`
  case revocations(after: Int)
  /// Hands a frame to all nodes; not stored. → `sent`
  case broadcast([UInt8])
  /// Hands a frame to all nodes that follow the room, and perhaps to others; not stored. → `sent`
  case tell(RoomName, [UInt8])
  /// Hands a frame to one node. → `sent`
  case send(node: String, [UInt8])
}

public enum RelayLimits {
  public static let publicationsPerRequest = 16
  public static let roomsPerRead = 200
  public static let changesPerRequest = 50
  public static let usersPerCount = 50
  public static let rosterNames = 100
  public static let rosterFull = 200
  public static let revocationsPerRequest = 100
  public static let revocationsPerSlice = 500
  /// Revocations a relay keeps. One more is refused: none is forgotten before its end.
  public static let revocations = 100_000
  /// The highest offset, version or count that a relay may name: what JSON numbers hold exactly everywhere. Far enough
  /// from an `Int`'s end that a wrong number, wherever it comes from, cannot overflow a sum.
  public static let highestNumber = 1 << 53 - 1
}

public enum RelayReply: Sendable {
  case published([PublishOutcome])
  case read([RoomRead])
  case history(RoomHistory)
  case presenceChanged
  /// Connections that the users have on other nodes, in the order of the question.
  case counted(elsewhere: [Int])
  /// `expired`: incarnations whose lease ended and whose memberships somebody must reap.
  case alive(nodes: [NodeStanding], expired: [String])
  /// The incarnation has no lease: take a new one and register.
  case fenced
  case reaped(isDone: Bool)
  case roster(Roster)
  case online(connections: Int, users: Int, nodes: Int)
  /// So many were not stored, because there is no room.
  case revoked(refused: Int)
  case revocations(RevocationSlice)
  /// How many subscribers the frame was handed to.
  case sent(receivers: Int)
  case failed(RelayFailure)
}

/// Why a request has no answer. In all cases it may have run, unless said otherwise.
public enum RelayFailure: Sendable, Equatable {
  /// No answer in time, or the connection ended.
  case outcomeUnknown
  /// The relay belongs to another generation now; nothing was stored. A ``RelayEvent/generation(id:token:)`` tells.
  case staleGeneration
  /// Refused (out of memory, read-only, no permission …): nothing was stored.
  case refused(RelayTrouble)
  /// Not connected, or too much waits already; nothing was sent.
  case unavailable
}

public enum RelayState: Sendable, Equatable { case starting, connected, suspect, degraded, recovering }

public enum RelayEvent: Sendable {
  case reply(RelayTicket, RelayReply)
  /// A frame on the relay channel: hostile until its token is the generation's.
  case frame([UInt8])
  /// A frame for this node alone.
  case directed([UInt8])
  case state(RelayState)
  /// What keeps the relay from its work has changed; `nil`: nothing does. It may be less than the state suggests
  /// (one room's key) and never replaces it.
  case trouble(RelayTrouble?)
  /// A generation begins; numbers and presence of the one before mean nothing any more. `token` marks nodes' frames.
  case generation(id: String, token: String)
  /// Frames may have been missed up to now, none from now on.
  case resubscribed
  /// The same for the frames of one room, because it is followed now. Relays that hand on everything do not tell.
  case followed(RoomName)
}
