import Buffers

extension Hub {
  mutating func connect(_ connection: ConnectionID, _ identity: Identity, now: Now) {
    let known = userNumbers[identity.user]
    if let known, users[known].connections.count >= configuration.connectionsPerUser {
      output.actions.append(.refuse(connection, .tooManyConnections))
      return
    }
    let number = known ?? addUser(identity)
    users[number].connections.append(connection)
    connections[connection] = HubConnection(user: number)
    presence.connectionsChanged(now: now.monotonic)
    output.actions.append(.admit(connection, number))
  }

  mutating func disconnect(_ connection: ConnectionID, _ departure: Departure, now: Now) {
    // A refused connection was never put down.
    guard let record = connections.removeValue(forKey: connection) else { return }
    outstanding[connection] = nil
    for room in record.rooms { removeMember(connection, user: record.user, room: room, departure, now: now) }
    presence.connectionsChanged(now: now.monotonic)
    users[record.user].connections.removeAll { $0 == connection }
    if users[record.user].connections.isEmpty { removeUser(record.user) }
  }

  func user(of connection: ConnectionID) -> UserNumber? { connections[connection]?.user }

  /// The user's number when it has connections here.
  func localUser(_ id: String) -> UserNumber? { userNumbers[id] }

  private mutating func addUser(_ identity: Identity) -> UserNumber {
    let number = users.insert(HubUser(identity)).slot
    userNumbers[identity.user] = number
    presence.change(room: nil, identity, isJoin: true)
    return number
  }

  private mutating func removeUser(_ number: UserNumber) {
    let identity = users.remove(number).identity
    userNumbers[identity.user] = nil
    presence.change(room: nil, identity, isJoin: false)
  }

  // MARK: How many are online

  mutating func askOnline(_ connection: ConnectionID, now: Now) {
    guard relayState == .connected else { return answerOnline(connection, localOnline) }
    if let answer = online.fresh(now: now.monotonic) { return answerOnline(connection, answer) }
    online.askers.append(connection)
    guard !online.isAsking else { return }
    online.isAsking = true
    ask(.online, .online)
  }

  mutating func onlineArrived(_ reply: RelayReply, now: Now) {
    var answer = localOnline
    if case .online(let connections, let users, let nodes) = reply {
      answer = OnlineAnswer(connections: connections, users: users, nodes: nodes, isClusterWide: true)
      online.remember(answer, now: now.monotonic)
    }
    online.isAsking = false
    let askers = online.askers
    online.askers.removeAll()
    for asker in askers { answerOnline(asker, answer) }
  }

  private var localOnline: OnlineAnswer {
    OnlineAnswer(connections: connections.count, users: userNumbers.count, nodes: 1, isClusterWide: false)
  }

  private mutating func answerOnline(_ connection: ConnectionID, _ answer: OnlineAnswer) {
    output.actions.append(.online(connection, answer))
  }
}

/// The last answer, good for half a second, so that a hot health check costs Redis nothing.
struct OnlineCache {
  private static var lifetime: Int64 { 500 }
  private var answer: OnlineAnswer?
  private var until: Int64 = .min
  var askers: [ConnectionID] = []
  var isAsking = false

  func fresh(now: Int64) -> OnlineAnswer? { now < until ? answer : nil }

  mutating func remember(_ answer: OnlineAnswer, now: Int64) { (self.answer, until) = (answer, now + Self.lifetime) }
}
