/// A user with at least one connection on this node.
struct HubUser: ~Copyable {
  let identity: Identity
  var connections: [ConnectionID] = []
  var rate: UserRate
  /// The presence change that says the user is online here.
  var onlineChange = 0
  /// How many connections of the user the relay counts here; being online is one.
  var toldConnections = 1

  init(_ identity: Identity, rate: UserRate) { (self.identity, self.rate) = (identity, rate) }
}

/// A connection, as the hub knows it.
struct HubConnection {
  let user: UserNumber
  /// Of the token that holds now.
  var token: TokenStamp
  /// Rooms it is in or on its way into.
  var rooms: [RoomNumber] = []
  /// Those of them that it did not enter yet.
  var entering: [RoomNumber] = []
  /// Rooms that it joined again, once for each join that was not answered.
  var rejoining: [RoomNumber] = []

  /// How many of its joins of the room were not answered.
  func waits(for room: RoomNumber) -> Int {
    rejoining.count { $0 == room } + (entering.contains(room) ? 1 : 0)
  }

  /// One of its joins was answered.
  mutating func isAnswered(_ room: RoomNumber, isMember: Bool) {
    if isMember {
      if let index = rejoining.firstIndex(of: room) { rejoining.remove(at: index) }
    } else {
      entering.removeAll { $0 == room }
    }
  }
}

/// A connection on its way into a room: waits for the roster, because `room_info` needs it.
struct Entrant {
  let connection: ConnectionID
  let id: [UInt8]
  /// What it wants of the past.
  let wish: JoinWish
  var deadline: Int64
  /// The presence change that must be on its way before a roster shows it.
  let change: Int
  /// Sent before the way in was over; published right after.
  var early: [ClientText] = []
  /// It was a member already and only asks for `room_info` again.
  let isMember: Bool
  /// The relay was asked for what it missed, or for the last messages, and told all it could.
  var hasRead = false
  /// Where the room stood by the last roster it waited for.
  var top: Position?
  var hasHistory = false

  init(
    connection: ConnectionID, id: [UInt8], wish: JoinWish, deadline: Int64, change: Int, isMember: Bool
  ) {
    (self.connection, self.id, self.wish, self.deadline) = (connection, id, wish, deadline)
    (self.change, self.isMember) = (change, isMember)
  }

  /// What the relay told of the past is not here any more.
  mutating func forgetAnswers() { (hasRead, hasHistory) = (false, false) }
}

/// One message as this node holds it.
struct StoredMessage {
  /// Stands for the sender of what backends send, whoever they name as such: no user has this id. So a client's ids
  /// and a backend's are never the same, and no user is given what only the sender gets.
  static let backend = ""

  let envelope: RelayEnvelope
  /// The sender's user id, or ``backend``.
  let sender: String
  /// The connection that said it, when that is one of this process.
  let origin: ConnectionID?
  /// Of the message id: names the message among recent ones.
  let hash: Int
  /// What the client's own retries have in common: of sender and client id, or of the message id without one.
  let retryKey: Int

  init(envelope: RelayEnvelope, sender: String, origin: ConnectionID?) {
    (self.envelope, self.sender, self.origin) = (envelope, sender, origin)
    hash = envelope.messageIDHash
    retryKey = envelope.retryKey(sender: sender)
  }

  var isBackend: Bool { sender.isEmpty }
}

/// A room with something of this node in it.
struct HubRoom: ~Copyable {
  let name: RoomName
  var stream = RoomStream<StoredMessage>()
  /// How many of a user's connections here are in the room.
  var users: [UserNumber: UInt32] = [:]
  var entrants: [Entrant] = []
  /// How often a connection became a member.
  var entries = 0
  /// How many entrants the roster on its way is for; `nil`: none is on its way.
  var rosterFor: Int?
  var rosterRetry = Retry()
  /// Those who need something of the past before they can enter.
  var returners: [Returner] = []
  /// Which question about the past is on its way.
  var pastQuestion: RelayTicket?
  var pastRetry = Retry()
  /// The last delivered messages, up to the stream's position and of its epoch.
  var ring = RoomRing<PastMessage>()
  var ringUsedAt: Int64 = 0
  /// When one of those on the way in has waited too long, as noted last.
  var notedDeadline: Int64?
  /// Those who asked who is here.
  var askers: [(connection: ConnectionID, id: [UInt8], deadline: Int64)] = []
  var outbox: Outbox?
  /// Our connections' messages that are stored and that the room's order has not come to yet.
  var awaitingTurn: [(message: StoredMessage, place: Position)] = []
  /// Who is here, over all nodes.
  var roster = RoomRoster()
  var duties = RosterDuties()
  /// The relay was told that there are members here.
  var isFollowed = false
  var isMarked = false

  init(name: RoomName) { self.name = name }

  var isAwaitingRoster: Bool { !entrants.isEmpty || !askers.isEmpty || needsRoster }

  /// Its members need one, although nobody waits for it.
  var needsRoster: Bool { duties.isNeeded && !users.isEmpty }

  /// A room with a roster on its way stays: its number must not name another room when the answer comes. So does one
  /// that owes somebody an ack.
  var isUsed: Bool {
    !users.isEmpty || isAwaitingRoster || rosterFor != nil || outbox?.isIdle == false || !awaitingTurn.isEmpty
  }
}

/// What an outstanding relay request was for.
enum Question {
  case publish(RoomNumber)
  case read([RoomNumber])
  case roster(RoomNumber)
  /// Named by its own ticket too: the room may have asked again, or be another one by now.
  case past(RoomNumber, RelayTicket)
  case history(ConnectionID, RoomName, id: [UInt8])
  case presence(incarnation: String)
  case lease(LeaseQuestion, incarnation: String)
  case reap(String)
  case online
  /// Handshakes that wait for how many connections their users have elsewhere.
  case newcomers([ConnectionID])
  case userCounts([UserNumber])
  /// Which keys, and who asked; `nil`: this node, because the relay may not know them.
  case revoke(ConnectionID?, [[UInt8]])
  case revocations
  case chat(ConnectionID, id: [UInt8])
  /// A frame to all nodes, whose answers are gathered.
  case direct(Int)
  /// What backends ask, in two steps, and a room's past.
  case backendRoom(ConnectionID, RoomName)
  case backendRoster(ConnectionID, RoomName)
  case backendHistory(ConnectionID, RoomName)
  case nothing
}

enum LeaseQuestion { case register, heartbeat, connections, departure }
