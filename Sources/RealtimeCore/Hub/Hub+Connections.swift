import Buffers

extension Hub {
  mutating func connect(_ connection: ConnectionID, _ identity: Identity, _ token: TokenStamp, now: Now) {
    guard !revocations.table.covers(identity.user, token) else {
      output.actions.append(.refuse(connection, .revoked))
      return
    }
    let known = userNumbers[identity.user]
    if let known, users[known].connections.count >= configuration.connectionsPerUser {
      output.actions.append(.refuse(connection, .tooManyConnections))
      return
    }
    let number = known ?? addUser(identity)
    users[number].connections.append(connection)
    connections[connection] = HubConnection(user: number, token: token)
    presence.connectionsChanged(now: now.monotonic)
    output.actions.append(.admit(connection, number))
    tellNewcomer(connection)
  }

  mutating func disconnect(_ connection: ConnectionID, _ departure: Departure, now: Now) {
    // A refused connection was never put down.
    guard let record = connections[connection] else { return }
    outstanding[connection] = nil
    for room in record.rooms { removeMember(connection, user: record.user, room: room, departure, now: now) }
    connections[connection] = nil
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
}
