import Buffers

// Coming back to a room
//
//     join(since) ──► returner ──(ring short? one READ per room at a time)──► entrant ──(roster)──► enter, replay, live
//                        ▲                                                       │
//                        └──────── not yet: stream behind, ring lost, client full ┘
//
// Everything is decided at the moment of entering, from what the room remembers up to the stream's position: so what
// is replayed ends exactly where live messages begin. Whatever the relay tells goes into the stream (above the
// position) or into the ring (below) first, never to one client. All or nothing: no part of what was missed is sent.

extension Hub {
  // MARK: On the way in

  /// Lets those go on who need nothing more, and asks the relay for what others need. One question about a room at a
  /// time; whoever comes meanwhile waits for its answer.
  mutating func serveReturners(_ number: RoomNumber, now: Now) {
    guard !rooms[number].returners.isEmpty, rooms[number].pastQuestion == nil,
      rooms[number].pastRetry.at <= now.monotonic
    else { return }
    var staying: [Returner] = []
    /// Connections that stay, among those that wait for several answers.
    var ahead: Set<ConnectionID> = []
    var (lowest, most) = (Position?.none, 0)
    for var returner in rooms[number].returners {
      if case .waits(let until) = returner.state, until <= now.monotonic { returner.state = .asks }
      let entrant = returner.entrant
      let isBehind = entrant.isMember && ahead.contains(entrant.connection)
      guard returner.state == .asks, !isBehind else {
        staying.append(returner)
        if isOneOfSeveral(entrant, room: number) { ahead.insert(entrant.connection) }
        continue
      }
      switch outlook(for: entrant, room: number, now: now) {
      case .ready, .waits:
        rooms[number].entrants.append(entrant)
        continue
      case .needsRead(let since):
        if lowest == nil || since.epoch == lowest!.epoch && since.offset < lowest!.offset { lowest = since }
      case .needsHistory(let count): most = max(most, count)
      }
      returner.state = .isAsked
      staying.append(returner)
      if isOneOfSeveral(entrant, room: number) { ahead.insert(entrant.connection) }
    }
    rooms[number].returners = staying
    if let lowest {
      askPast(number, .read([(rooms[number].name, lowest)]))
    } else if most > 0 {
      askPast(number, .history(rooms[number].name, before: nil, limit: most))
    }
  }

  private mutating func askPast(_ number: RoomNumber, _ request: RelayRequest) {
    rooms[number].pastQuestion = nextTicket
    counters.pastReads += 1
    ask(request, .past(number, nextTicket))
  }

  /// Not now: they go back and are looked at again.
  mutating func postpone(_ entrants: [Returner], room number: RoomNumber, now: Now) {
    guard !entrants.isEmpty else { return }
    rooms[number].returners.insert(contentsOf: entrants, at: 0)
    for index in entrants.indices where entrants[index].state == .awaitsDrain {
      rooms[number].returners[index].entrant.deadline = .max
    }
    roomRetries.append(number, attempt: 1, now: now.monotonic)
    mark(number)
  }

  /// Whether the connection joined, but did not enter yet.
  func isOnItsWay(_ connection: ConnectionID, into number: RoomNumber) -> Bool {
    connections[connection]?.entering.contains(number) == true
  }

  /// Whether its connection waits for more than this answer: they must come in the order of the joins.
  func isOneOfSeveral(_ entrant: Entrant, room number: RoomNumber) -> Bool {
    connections[entrant.connection].map { !$0.rejoining.isEmpty && $0.waits(for: number) > 1 } ?? false
  }

  /// The connections of the room's returners that wait for more than one answer.
  func returnersOfSeveral(_ number: RoomNumber) -> Set<ConnectionID> {
    var several: Set<ConnectionID> = []
    for returner in rooms[number].returners where isOneOfSeveral(returner.entrant, room: number) {
      several.insert(returner.entrant.connection)
    }
    return several
  }

  /// Changes the one that ``isOnItsWay(_:into:)``.
  mutating func updateEntrant(
    _ connection: ConnectionID, room number: RoomNumber, _ change: (inout Entrant) -> Bool
  ) -> Bool {
    func isIt(_ entrant: Entrant) -> Bool { entrant.connection == connection && !entrant.isMember }
    if let index = rooms[number].entrants.lastIndex(where: isIt) { return change(&rooms[number].entrants[index]) }
    let index = rooms[number].returners.lastIndex { isIt($0.entrant) }!
    return change(&rooms[number].returners[index].entrant)
  }

  /// Takes out the joins of a connection that will not enter; a roster on its way keeps covering the others it is for.
  /// Costs nothing when none of them waits: whoever leaves a room comes by here, in a storm too.
  mutating func takeEntrants(of connection: ConnectionID, room number: RoomNumber) -> [Entrant] {
    let count = connections[connection]?.waits(for: number) ?? 0
    var taken: [Entrant] = []
    while taken.count < count {
      if let index = rooms[number].entrants.firstIndex(where: { $0.connection == connection }) {
        taken.append(rooms[number].entrants.remove(at: index))
        if let covered = rooms[number].rosterFor, index < covered { rooms[number].rosterFor = covered - 1 }
      } else if let index = rooms[number].returners.firstIndex(where: { $0.entrant.connection == connection }) {
        taken.append(rooms[number].returners.remove(at: index).entrant)
      } else {
        break
      }
    }
    for entrant in taken { connections[connection]!.isAnswered(number, isMember: entrant.isMember) }
    return taken
  }

  /// Takes out all who have waited too long.
  mutating func takeLateEntrants(_ number: RoomNumber, now: Now) -> [Entrant] {
    func isLate(_ entrant: Entrant) -> Bool { entrant.deadline <= now.monotonic }
    let late = rooms[number].entrants.filter(isLate) + rooms[number].returners.map(\.entrant).filter(isLate)
    guard !late.isEmpty else { return [] }
    if let covered = rooms[number].rosterFor {
      rooms[number].rosterFor = rooms[number].entrants.prefix(covered).count { !isLate($0) }
    }
    rooms[number].entrants.removeAll(where: isLate)
    rooms[number].returners.removeAll { isLate($0.entrant) }
    for entrant in late { connections[entrant.connection]?.isAnswered(number, isMember: entrant.isMember) }
    return late
  }

  /// The roster came: how the entrant begins, or the state in which it must wait on.
  mutating func welcome(
    _ entrant: Entrant, room number: RoomNumber, isBehind: Bool, now: Now
  ) -> (welcome: Welcome?, state: Returner.State) {
    let later = Returner.State.waits(until: now.monotonic + RoomRetries.delay(attempt: 1))
    if entrant.isMember, isBehind { return (nil, later) }  // its own earlier join goes first
    switch outlook(for: entrant, room: number, now: now) {
    case .needsRead, .needsHistory: return (nil, .asks)
    case .waits:
      if let top = entrant.top { rooms[number].stream.expect(top, now: now.monotonic) }
      noteGap(number, now: now)
      return (nil, later)
    case .ready(let welcome):
      guard !welcome.messages.isEmpty else { return (welcome, .asks) }
      let bytes = welcome.byteCount
      let held = outstanding[entrant.connection]?.bytes ?? 0
      guard held == 0 || held + bytes <= configuration.replayBytes else {
        outstanding[entrant.connection]!.rooms.append(number)
        return (nil, .awaitsDrain)
      }
      outstanding[entrant.connection, default: Outstanding()].bytes += bytes
      useRing(number, now: now)
      return (welcome, .asks)
    }
  }

  /// What entered is told what it missed, before anything else.
  mutating func replay(_ welcome: Welcome, to connection: ConnectionID) {
    if let recovered = welcome.standing.recovered {
      if recovered { counters.recovered += 1 } else { counters.notRecovered += 1 }
    }
    guard !welcome.messages.isEmpty, let user = user(of: connection) else { return }
    output.actions.append(
      .replay(connection, Replay(messages: welcome.messages, user: users[user].identity.user)))
  }

  /// The client took all it was given: rooms that waited for that go on.
  mutating func replayDrained(_ connection: ConnectionID, now: Now) {
    guard let held = outstanding.removeValue(forKey: connection) else { return }
    for number in held.rooms where rooms.isInUse(number) {
      let due = noteDeadline(number, now: now)
      for index in rooms[number].returners.indices {
        let returner = rooms[number].returners[index]
        guard returner.state == .awaitsDrain, returner.entrant.connection == connection else { continue }
        rooms[number].returners[index].state = .asks
        rooms[number].returners[index].entrant.deadline = due
      }
      mark(number)
    }
  }

  /// A slow connection lost messages of the room: it is told where the room stands and gets what follows.
  mutating func dropped(_ connection: ConnectionID, _ number: RoomNumber, now: Now) {
    guard rooms.isInUse(number), connections[connection]?.rooms.contains(number) == true,
      let place = rooms[number].stream.position
    else { return }
    counters.resyncs[.slowConsumer, default: 0] += 1
    let (name, stamp) = (rooms[number].name, stamp(now))
    let text = write {
      ServerMessage.appendResync(
        room: name, epoch: place.epoch, offset: place.offset, reason: "slow_consumer", timestamp: stamp, to: &$0)
    }
    output.actions.append(.resync(connection, number, text))
  }

  // MARK: Judging

  /// As things stand. Before a roster came, which tells where the room really is, this only decides what to ask.
  private func outlook(for entrant: Entrant, room number: RoomNumber, now: Now) -> Outlook {
    let wish = entrant.wish
    guard let position = rooms[number].stream.position else {
      if let since = wish.since, !entrant.hasRead { return .needsRead(since) }
      if wish.since == nil, wish.history > 0, !entrant.hasHistory { return .needsHistory(wish.history) }
      return .waits
    }
    guard wish != JoinWish() else { return .ready(Welcome(position)) }
    // The relay is in another epoch already: the stream will follow, and then it is time to judge.
    if let top = entrant.top, top.epoch != position.epoch { return .waits }
    guard let since = wish.since else { return past(entrant, room: number, position, reason: nil, now: now) }
    let reason: StaticString
    if since.epoch != position.epoch {
      reason = "epoch_changed"
    } else if since.offset > position.offset {
      guard let top = entrant.top, top.offset < since.offset else { return .waits }
      reason = "rollback"
    } else {
      switch missed(since, position, room: number, now: now) {
      case .all(let messages):
        var welcome = Welcome(position, recovered: true, messages: messages)
        welcome.standing = .init(epoch: since.epoch, offset: since.offset, recovered: true)
        return .ready(welcome)
      case .unknown where !entrant.hasRead: return .needsRead(since)
      case .unknown, .tooMuch: reason = "too_far"
      }
    }
    return past(entrant, room: number, position, reason: reason, now: now)
  }

  private enum Missed { case all(ArraySlice<PastMessage>), unknown, tooMuch }

  private func missed(_ since: Position, _ position: Position, room number: RoomNumber, now: Now) -> Missed {
    if since.offset == position.offset { return .all([]) }
    guard position.offset - since.offset <= configuration.recoveryMessages else { return .tooMuch }
    guard !rooms[number].ring.isEmpty, rooms[number].ring.firstOffset <= since.offset + 1 else { return .unknown }
    let messages = rooms[number].ring.entries(from: since.offset + 1)
    var bytes = 0
    for message in messages { bytes += message.byteCount }
    let isTooOld = messages.first!.isOlder(than: oldestRemembered(now))
    return bytes > configuration.recoveryBytes || isTooOld ? .tooMuch : .all(messages)
  }

  /// Not recovered, or nothing to recover: the last messages follow when they were asked for.
  private func past(
    _ entrant: Entrant, room number: RoomNumber, _ position: Position, reason: StaticString?, now: Now
  ) -> Outlook {
    let recovered = reason == nil ? nil : false
    guard entrant.wish.history > 0 else { return .ready(Welcome(position, recovered: recovered, reason: reason)) }
    let from = max(1, position.offset - entrant.wish.history + 1)
    guard entrant.hasHistory || remembers(number, from: from, position) else {
      return .needsHistory(entrant.wish.history)
    }
    let messages = remembered(number, from: from, below: position.offset + 1, now: now)
    return .ready(Welcome(position, recovered: recovered, reason: reason, messages: messages))
  }
}
