import Buffers

extension Hub {
  mutating func connect(_ connection: ConnectionID, _ identity: Identity, _ token: TokenStamp, now: Now) {
    guard !revocations.table.covers(identity.user, token) else {
      output.actions.append(.refuse(connection, .revoked))
      return
    }
    guard connectionsHere(identity.user) + admissions.count(of: identity.user) < configuration.connectionsPerUser else {
      output.actions.append(.refuse(connection, .tooManyConnections))
      return
    }
    let newcomer = Newcomer(identity: identity, token: token)
    guard mayBeElsewhere else { return admit(connection, newcomer, now: now) }
    admissions.append(connection, newcomer)
  }

  func connectionsHere(_ user: String) -> Int { localUser(user).map { users[$0].connections.count } ?? 0 }

  mutating func admit(_ connection: ConnectionID, _ newcomer: Newcomer, now: Now) {
    let (identity, token) = (newcomer.identity, newcomer.token)
    let number = userNumbers[identity.key] ?? addUser(identity)
    users[number].connections.append(connection)
    connections[connection] = HubConnection(user: number, token: token)
    noteUserCount(number)
    presence.connectionsChanged(now: now.monotonic)
    output.actions.append(.admit(connection, number))
    tellNewcomer(connection)
  }

  mutating func disconnect(_ connection: ConnectionID, _ departure: Departure, now: Now) {
    // A refused connection was never put down.
    guard let record = connections[connection] else {
      _ = admissions.take(connection)
      return
    }
    outstanding[connection] = nil
    for room in record.rooms { removeMember(connection, user: record.user, room: room, departure, now: now) }
    connections[connection] = nil
    presence.connectionsChanged(now: now.monotonic)
    users[record.user].connections.removeAll { $0 == connection }
    if users[record.user].connections.isEmpty { removeUser(record.user, now: now) } else { noteUserCount(record.user) }
  }

  func user(of connection: ConnectionID) -> UserNumber? { connections[connection]?.user }

  /// The user's number when it has connections here.
  func localUser(_ id: String) -> UserNumber? { userNumbers[UserKey(id)] }

  private mutating func addUser(_ identity: Identity) -> UserNumber {
    let number = users.insert(HubUser(identity, rate: departedRates.take(identity.user) ?? UserRate())).slot
    userNumbers[identity.key] = number
    presence.change(room: nil, identity, isJoin: true)
    users[number].onlineChange = presence.lastChange
    return number
  }

  private mutating func removeUser(_ number: UserNumber, now: Now) {
    let (identity, spent) = (users[number].identity, users[number].rate)
    _ = users.remove(number)
    userNumbers[identity.key] = nil
    if let rate = configuration.rate, !spent.isIdle(at: now.monotonic * 1_000_000) {
      departedRates.keep(spent, of: identity.user, now: now.monotonic, lifetime: UserRate.memory(rate))
    }
    presence.change(room: nil, identity, isJoin: false)
  }
}
