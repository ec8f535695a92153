import Buffers

// How many connections a user has, over all nodes.
//
// Exact on each node. For the others' sake a node tells the relay of users with more than one connection here, and asks
// about a user who connects, before he is let in. What another node has not told yet is not seen, so a user who
// connects to many nodes in the same instant may get a few more; and while the relay is away only the node's own
// number counts.

/// A handshake that is good so far.
struct Newcomer {
  let identity: Identity
  let token: TokenStamp
}

/// Handshakes that wait to hear how many connections their user has elsewhere.
struct Admissions {
  private var waiting: [ConnectionID: Newcomer] = [:]
  private var counts: [UserKey: Int] = [:]
  /// Those that nobody was asked about yet.
  private var unasked: [ConnectionID] = []

  func count(of user: String) -> Int { waiting.isEmpty ? 0 : counts[UserKey(user), default: 0] }

  mutating func append(_ connection: ConnectionID, _ newcomer: Newcomer) {
    waiting[connection] = newcomer
    counts[newcomer.identity.key, default: 0] += 1
    unasked.append(connection)
  }

  /// Takes a connection out; nil when it is not waiting any more.
  mutating func take(_ connection: ConnectionID) -> Newcomer? {
    guard let newcomer = waiting.removeValue(forKey: connection) else { return nil }
    let count = counts[newcomer.identity.key, default: 1] - 1
    counts[newcomer.identity.key] = count == 0 ? nil : count
    return newcomer
  }

  /// The next of those to ask about, with their users; empty when there are none.
  mutating func takeUnasked(atMost limit: Int) -> [(connection: ConnectionID, user: String)] {
    guard !unasked.isEmpty else { return [] }
    var batch: [(connection: ConnectionID, user: String)] = []
    var looked = 0
    while looked < unasked.count, batch.count < limit {
      if let newcomer = waiting[unasked[looked]] { batch.append((unasked[looked], newcomer.identity.user)) }
      looked += 1
    }
    unasked.removeFirst(looked)
    return batch
  }
}

/// Users of whom the relay must be told how many connections they have here.
struct UserCounts {
  var changed: Set<UserNumber> = []
  /// One request at a time, so that a later number never comes before an earlier one.
  var isAsking = false
  /// After a failure: when to try again.
  var retryAt: Int64?
}

extension Hub {
  /// There are other nodes, and they can be asked.
  var mayBeElsewhere: Bool { relayState == .connected && presence.maySpeak && presence.nodes.count > 1 }

  mutating func askAboutNewcomers() {
    while true {
      let batch = admissions.takeUnasked(atMost: RelayLimits.usersPerCount)
      guard !batch.isEmpty else { return }
      let users = batch.map { UserCount(user: $0.user, connections: nil) }
      ask(.countUsers(incarnation: presence.incarnation, users), .newcomers(batch.map(\.connection)))
    }
  }

  mutating func newcomersCounted(_ newcomers: [ConnectionID], _ reply: RelayReply, now: Now) {
    var elsewhere: [Int] = []
    if case .counted(let counts) = reply { elsewhere = counts }
    for (index, connection) in newcomers.enumerated() {
      guard let newcomer = admissions.take(connection) else { continue }
      // Without an answer the node's own number counts.
      let others = index < elsewhere.count ? min(max(0, elsewhere[index]), configuration.connectionsPerUser) : 0
      if revocations.table.covers(newcomer.identity.user, newcomer.token) {
        output.actions.append(.refuse(connection, .revoked))
      } else if connectionsHere(newcomer.identity.user) + others < configuration.connectionsPerUser {
        admit(connection, newcomer, now: now)
      } else {
        output.actions.append(.refuse(connection, .tooManyConnections))
      }
    }
  }

  /// The user came or went with one of several connections.
  mutating func noteUserCount(_ user: UserNumber) {
    if users[user].connections.count != users[user].toldConnections { userCounts.changed.insert(user) }
  }

  /// The relay knows nothing of the user but that he is online, by the last presence change.
  mutating func beginsAnew(_ user: UserNumber) {
    users[user].onlineChange = presence.lastChange
    users[user].toldConnections = 1
    noteUserCount(user)
  }

  mutating func tickUserCounts(now: Now) {
    if let due = userCounts.retryAt, due <= now.monotonic { userCounts.retryAt = nil }
  }

  mutating func sendUserCounts() {
    guard !userCounts.changed.isEmpty, !userCounts.isAsking, presence.maySpeak else { return }
    // Between two batches of presence changes: what has been sent has run.
    guard !presence.isChanging, userCounts.retryAt == nil else { return }
    var told: [UserNumber] = []
    for user in userCounts.changed.sorted() where told.count < RelayLimits.usersPerCount {
      let isNews = users.isInUse(user) && users[user].connections.count != users[user].toldConnections
      if isNews && users[user].onlineChange > presence.lastSent { continue }
      userCounts.changed.remove(user)
      if isNews { told.append(user) }
    }
    guard !told.isEmpty else { return }
    for user in told { users[user].toldConnections = users[user].connections.count }
    userCounts.isAsking = true
    let counts = told.map { UserCount(user: users[$0].identity.user, connections: users[$0].connections.count) }
    ask(.countUsers(incarnation: presence.incarnation, counts), .userCounts(told))
  }

  mutating func userCountsArrived(_ told: [UserNumber], _ reply: RelayReply, now: Now) {
    userCounts.isAsking = false
    if case .counted = reply { return }
    // Nobody knows what the relay has now: tell it again, whatever it is.
    for user in told where users.isInUse(user) {
      users[user].toldConnections = 0
      userCounts.changed.insert(user)
    }
    userCounts.retryAt = now.monotonic + RoomRetries.longest
  }
}
