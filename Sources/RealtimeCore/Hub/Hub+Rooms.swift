import Buffers

extension Hub {
  /// Rule 17 of the design: joins while the relay is away wait this long, in milliseconds.
  static var joinPatience: Int64 { 5_000 }
  /// How many joins of a room that it is in a connection may wait for at a time.
  static var rejoinLimit: Int { 4 }

  mutating func join(_ connection: ConnectionID, _ name: RoomName, _ wish: JoinWish, id: [UInt8], now: Now) {
    guard let user = user(of: connection) else { return }
    let number = roomNumbers[name] ?? addRoom(name)
    let isMember = connections[connection]!.rooms.contains(number)
    let others = connections[connection]!.waits(for: number)
    if isMember {
      guard others < Self.rejoinLimit else { return refuseMore(user, connection, id: id, now: now) }
      connections[connection]!.rejoining.append(number)
    } else {
      connections[connection]!.rooms.append(number)
      connections[connection]!.entering.append(number)
      addMember(user, room: number)
    }
    let entrant = Entrant(
      connection: connection, id: id, wish: wish, deadline: noteDeadline(number, now: now),
      change: presence.lastChange, isMember: isMember)
    if wish == JoinWish(), others == 0 {
      rooms[number].entrants.append(entrant)
    } else {
      rooms[number].returners.append(Returner(entrant: entrant))
    }
    mark(number)
  }

  mutating func leave(_ connection: ConnectionID, _ name: RoomName, id: [UInt8], now: Now) {
    guard let user = user(of: connection) else { return }
    guard let number = roomNumbers[name], connections[connection]!.rooms.contains(number) else {
      return refuse(connection, .notInRoom, id: id)
    }
    connections[connection]!.rooms.removeAll { $0 == number }
    for early in removeMember(connection, user: user, room: number, .left, now: now).flatMap(\.early) {
      refuse(connection, .notInRoom, id: Array(early.bytes[early.id]))
    }
    settleTurns(of: connection, room: number)
    let text = write { ServerMessage.appendAck(room: name, id: unsafe id.span.bytes, to: &$0) }
    output.actions.append(.exit(connection, number, name, text))
  }

  mutating func askOnlineUsers(_ connection: ConnectionID, _ name: RoomName, id: [UInt8], now: Now) {
    guard connections[connection] != nil else { return }
    let number = roomNumbers[name] ?? addRoom(name)
    rooms[number].askers.append((connection, id, noteDeadline(number, now: now)))
    mark(number)
  }

  // MARK: Members

  private mutating func addMember(_ user: UserNumber, room number: RoomNumber) {
    let count = rooms[number].users[user, default: 0]
    rooms[number].users[user] = count + 1
    guard count == 0 else { return }
    memberCount += 1
    let identity = users[user].identity
    // Coming back within the grace: nobody heard of the leaving, so nobody hears of the coming.
    if presence.cancelLeave(room: rooms[number].name, user: identity.user) { return }
    presence.change(room: rooms[number].name, identity, isJoin: true)
  }

  /// The connection is in the room no longer; its user may be, through another. Returns its joins that wait for an
  /// answer.
  @discardableResult
  mutating func removeMember(
    _ connection: ConnectionID, user: UserNumber, room number: RoomNumber, _ departure: Departure, now: Now
  ) -> [Entrant] {
    let waiting = takeEntrants(of: connection, room: number)
    mark(number)
    let count = rooms[number].users[user]!
    guard count == 1 else {
      rooms[number].users[user] = count - 1
      return waiting
    }
    rooms[number].users[user] = nil
    memberCount -= 1
    let (name, identity) = (rooms[number].name, users[user].identity)
    stopTyping(room: name, identity, now: now)
    switch departure {
    case .left: presence.change(room: name, identity, isJoin: false)
    case .lost: presence.leaveLater(room: name, identity, due: now.monotonic + configuration.leaveGrace)
    case .sentAway: presence.returnElsewhere(room: name, identity, due: now.monotonic + configuration.returnGrace)
    }
    return waiting
  }

  // MARK: Rosters

  /// Asks who is in the room, when somebody waits for it. One roster at a time; whoever comes meanwhile gets the next.
  mutating func askRoster(_ number: RoomNumber, now: Now) {
    guard rooms[number].rosterFor == nil, rooms[number].isAwaitingRoster else { return }
    guard rooms[number].rosterRetry.at <= now.monotonic else { return }
    // Only those whose joining is on its way before the question; the others wait for a later turn.
    let lastSent = presence.lastSent
    let ready = rooms[number].entrants.prefix { $0.change <= lastSent }.count
    if ready > 0 || !rooms[number].askers.isEmpty { return askRoster(number, covering: ready) }
    if !rooms[number].entrants.isEmpty { presence.wake(number) }
    if rooms[number].needsRoster { queueRoster(number) }
  }

  mutating func rosterArrived(_ number: RoomNumber, _ reply: RelayReply, now: Now) {
    guard rooms.isInUse(number), let covered = rooms[number].rosterFor else { return }
    rooms[number].rosterFor = nil
    guard case .roster(let snapshot) = reply else {
      rooms[number].duties.isNeeded = true
      // It waits for its retry without a slot: rooms of a server that is away must not hold up the others.
      freeSlot(number)
      mark(number)
      let due = roomRetries.append(number, attempt: rooms[number].rosterRetry.failures + 1, now: now.monotonic)
      return rooms[number].rosterRetry.failed(at: due)
    }
    rooms[number].rosterRetry = Retry()
    let roster = compareRoster(snapshot, room: number, now: now)
    rooms[number].stream.start(at: roster.top, now: now.monotonic)
    if rooms[number].stream.position?.epoch != roster.top.epoch {
      rooms[number].stream.doubt(now: now.monotonic)
    }
    let entrants = Array(rooms[number].entrants.prefix(covered))
    // A copy without spare room: in the end an idle room keeps no memory for those who came.
    rooms[number].entrants = Array(rooms[number].entrants.dropFirst(entrants.count))
    var returners: [Returner] = []
    var ahead = entrants.contains(where: \.isMember) ? returnersOfSeveral(number) : []
    for var entrant in entrants {
      entrant.top = roster.top
      let (welcome, state) = welcome(entrant, room: number, isBehind: ahead.contains(entrant.connection), now: now)
      if let welcome {
        enter(entrant, room: number, roster, welcome, now: now)
      } else {
        returners.append(Returner(entrant: entrant, state: state))
        if isOneOfSeveral(entrant, room: number) { ahead.insert(entrant.connection) }
      }
    }
    postpone(returners, room: number, now: now)
    let askers = rooms[number].askers
    rooms[number].askers = []
    for asker in askers where connections[asker.connection] != nil {
      let (name, stamp) = (rooms[number].name, stamp(now))
      let text = write {
        ServerMessage.appendOnlineUsers(
          room: name, users: roster.members, count: roster.count, timestamp: stamp,
          id: unsafe asker.id.span.bytes, to: &$0)
      }
      output.actions.append(.text(asker.connection, text))
    }
    drain(number, now: now)
    mark(number)
  }

  private mutating func enter(
    _ entrant: Entrant, room number: RoomNumber, _ roster: Roster, _ welcome: Welcome, now: Now
  ) {
    let user = user(of: entrant.connection)!
    let identity = users[user].identity
    let name = rooms[number].name
    connections[entrant.connection]!.isAnswered(number, isMember: entrant.isMember)
    let (complete, stamp) = (roster.including(identity), stamp(now))
    let text = write {
      ServerMessage.appendRoomInfo(
        room: name, users: complete.members, count: complete.count,
        standing: welcome.standing, timestamp: stamp,
        id: unsafe entrant.id.span.bytes, to: &$0)
    }
    if !entrant.isMember { rooms[number].entries += 1 }
    output.actions.append(
      entrant.isMember ? .text(entrant.connection, text) : .enter(entrant.connection, number, name, text))
    replay(welcome, to: entrant.connection)
    for early in entrant.early { accept(early, from: entrant.connection, user: user, into: number, now: now) }
  }

  /// The way in took too long for some: the relay is away.
  mutating func giveUpEntrants(_ number: RoomNumber, now: Now) {
    guard rooms.isInUse(number) else { return }
    for entrant in takeLateEntrants(number, now: now) { giveUp(entrant, room: number, now: now) }
    for asker in rooms[number].askers where asker.deadline <= now.monotonic { refuseForNow(asker.connection, asker.id) }
    rooms[number].askers.removeAll { $0.deadline <= now.monotonic }
    mark(number)
  }

  private mutating func giveUp(_ entrant: Entrant, room number: RoomNumber, now: Now) {
    let (connection, name) = (entrant.connection, rooms[number].name)
    guard !entrant.isMember, let user = user(of: connection) else { return refuseForNow(connection, entrant.id) }
    counters.errors[.relayUnavailable, default: 0] += 1
    let text = write {
      ServerMessage.appendError(
        .relayUnavailable(retryAfterMilliseconds: 1_000), id: unsafe entrant.id.span.bytes, to: &$0)
    }
    connections[connection]!.rooms.removeAll { $0 == number }
    let others = removeMember(connection, user: user, room: number, .left, now: now)
    output.actions.append(.exit(connection, number, name, text))
    for early in entrant.early { refuseForNow(connection, Array(early.bytes[early.id])) }
    // It joined again meanwhile, and would wait for ever.
    for other in others { refuseForNow(connection, other.id) }
  }

  private mutating func refuseForNow(_ connection: ConnectionID, _ id: [UInt8]) {
    refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: id)
  }

  /// Sees to it that who comes now does not wait for ever, and returns until when he waits. Deadlines of one room lie
  /// a tenth of a second apart, so that a storm is given up in few goes.
  mutating func noteDeadline(_ number: RoomNumber, now: Now) -> Int64 {
    let deadline = (now.monotonic + Self.joinPatience) / 100 * 100
    if rooms[number].notedDeadline != deadline {
      rooms[number].notedDeadline = deadline
      entrantDeadlines.append(number, due: deadline)
    }
    return deadline
  }

  // MARK: The table

  mutating func addRoom(_ name: RoomName) -> RoomNumber {
    let number = rooms.insert(HubRoom(name: name)).slot
    roomNumbers[name] = number
    return number
  }

  mutating func forgetRoom(_ number: RoomNumber) {
    freeSlot(number)
    clearRing(number)
    unfollow(number)
    roomNumbers[rooms.remove(number).name] = nil
    output.actions.append(.forget(number))
  }
}

extension Roster {
  /// The roster with `identity` in it: a change that is still on its way must not leave out whom it is for.
  func including(_ identity: Identity) -> Roster {
    guard !members.contains(where: { $0.key == identity.key }) else { return self }
    var complete = self
    if members.count == count {
      complete.count += 1
    } else if members.count >= RelayLimits.rosterNames {
      complete.members.removeLast()  // some of a big room: he is to be among them
    }
    complete.members.append(identity)
    return complete
  }
}
