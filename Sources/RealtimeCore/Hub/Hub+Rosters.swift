import Buffers

/// Rosters that are asked for although nobody waits for them, so many at a time that a node with ten thousand rooms
/// does not flood the relay when it comes back.
struct RosterRefresh {
  static let limit = 16

  /// Questions of this kind on their way, or failed and about to be sent again.
  var slots = 0
  /// Rooms that wait for a slot, in no order.
  var waiting: [RoomNumber] = []
  /// Until when the nodes make their users known to a relay that lost its memory.
  var holdUntil: Int64?
  /// Big rooms whose count is to be told.
  var counts = DelayQueue<RoomNumber>()
}

/// What this node has to do about a room's roster.
struct RosterDuties {
  /// A roster must be asked for, whether somebody waits for it or not: frames may have been missed, or the relay lost
  /// the room (asking makes it begin again, so that members hear of it at once and not with the next message).
  var isNeeded = false
  /// Waits for one of the slots, or holds one.
  var isQueued = false
  var holdsSlot = false
  /// The count of a big room is told soon; the one that was told last.
  var isCountDue = false
  var toldCount: Int?
  /// The room was big and has become small enough.
  var isShrinking = false
}

extension Hub {
  /// The shortest time between two `presence_sync` of a room, in milliseconds.
  static var countInterval: Int64 { 1_000 }

  // MARK: Doubt

  /// Frames may have been missed: members are told the difference once the rooms' rosters are here.
  mutating func doubtRosters(isNewGeneration: Bool, now: Now) {
    if isNewGeneration { refresh.holdUntil = now.monotonic + Presence.leaseDuration }
    for slot in 0..<UInt32(rooms.slotCount) where rooms.isInUse(slot) {
      rooms[slot].roster.doubt()
      rooms[slot].duties.isNeeded = true
      mark(slot)
    }
  }

  /// The room needs a roster for its own sake.
  mutating func queueRoster(_ number: RoomNumber) {
    if rooms[number].duties.holdsSlot {
      if relayState == .connected { askRoster(number, covering: 0) }
    } else if !rooms[number].duties.isQueued {
      rooms[number].duties.isQueued = true
      refresh.waiting.append(number)
    }
  }

  /// Asks for rosters that nobody waits for, as many as may be on their way.
  mutating func refreshRosters() {
    guard relayState == .connected else { return }
    while refresh.slots < RosterRefresh.limit, let number = refresh.waiting.popLast() {
      guard rooms.isInUse(number), rooms[number].duties.isQueued else { continue }
      rooms[number].duties.isQueued = false
      guard rooms[number].needsRoster, rooms[number].rosterFor == nil else { continue }
      rooms[number].duties.holdsSlot = true
      refresh.slots += 1
      askRoster(number, covering: 0)
    }
  }

  mutating func askRoster(_ number: RoomNumber, covering entrants: Int) {
    rooms[number].rosterFor = entrants
    rooms[number].duties.isNeeded = false
    rooms[number].roster.asked()
    ask(.roster(rooms[number].name), .roster(number))
  }

  /// The room is done with its slot, if it has one.
  mutating func freeSlot(_ number: RoomNumber) {
    guard rooms[number].duties.holdsSlot else { return }
    rooms[number].duties.holdsSlot = false
    refresh.slots -= 1
  }

  // MARK: Arrival

  /// Who is in the room as its members may be told, now that `snapshot` has come.
  mutating func compareRoster(_ snapshot: Roster, room number: RoomNumber, now: Now) -> Roster {
    let news = rooms[number].roster.compare(
      snapshot, isFresh: !rooms[number].duties.isNeeded, isHolding: isHolding(now),
      mayShrink: rooms[number].duties.isShrinking && !isHolding(now))
    tell(news, room: number, now: now)
    if rooms[number].duties.isShrinking, !news.isDoubtful { shrinkLater(number, now: now) }
    if !rooms[number].duties.isNeeded { freeSlot(number) }
    return rooms[number].roster.shown(snapshot)
  }

  /// The room had grown again when its names came, or was not whole yet.
  private mutating func shrinkLater(_ number: RoomNumber, now: Now) {
    rooms[number].duties.isShrinking = false
    tellCountLater(number, now: now)
  }

  /// Somebody came or went, a node says.
  mutating func presenceChanged(_ frame: RelayFrame, _ bytes: RawSpan, now: Now) {
    guard let room = frame.room, let number = roomNumbers[room], let version = frame.version,
      let user = Identity(frame, in: bytes)
    else { return }
    let change = RoomRoster.Change(
      version: version, user: user, isJoin: frame.kind == .userJoined, count: frame.count)
    let news = rooms[number].roster.take(change, isAsked: rooms[number].rosterFor != nil)
    if !change.isJoin, news.events.isEmpty { endTyping(room: room, user: user.user, isTold: false, now: now) }
    tell(news, room: number, now: now)
  }

  // MARK: Telling

  private func isHolding(_ now: Now) -> Bool { refresh.holdUntil.map { now.monotonic < $0 } ?? false }

  private mutating func tell(_ news: RoomRoster.News, room number: RoomNumber, now: Now) {
    let (name, stamp) = (rooms[number].name, stamp(now))
    if news.isSmallAgain { tellCount(number, now: now) }
    for (user, isJoin) in news.events {
      if !isJoin { endTyping(room: name, user: user.user, isTold: true, now: now) }
      let envelope = RelayEnvelope.member(
        isJoin ? .userJoined : .userLeft, room: name, user: user, timestamp: stamp, node: configuration.instance,
        scratch: &scratch)
      let text = write { envelope.appendClientFrame(to: &$0) }
      output.actions.append(.item(number, RoomItem(text: text, ownUser: localUser(user.user))))
    }
    if news.isSmallAgain {
      rooms[number].duties.isShrinking = false
      rooms[number].duties.toldCount = nil
    }
    if news.isCounted { tellCountLater(number, now: now) }
    if news.isDoubtful {
      rooms[number].duties.isNeeded = true
      mark(number)
    }
  }

  private mutating func tellCountLater(_ number: RoomNumber, now: Now) {
    guard !rooms[number].duties.isCountDue else { return }
    rooms[number].duties.isCountDue = true
    refresh.counts.append(number, due: now.monotonic + Self.countInterval)
  }

  private mutating func tellCount(_ number: RoomNumber, now: Now) {
    let (name, count, stamp) = (rooms[number].name, rooms[number].roster.count, stamp(now))
    rooms[number].duties.toldCount = count
    let text = write { ServerMessage.appendPresenceSync(room: name, count: count, timestamp: stamp, to: &$0) }
    output.actions.append(.item(number, RoomItem(text: text)))
  }

  // MARK: Time

  var nextRosterDeadline: Int64? {
    guard let hold = refresh.holdUntil, let count = refresh.counts.nextDue else {
      return refresh.holdUntil ?? refresh.counts.nextDue
    }
    return min(hold, count)
  }

  mutating func tickRosters(now: Now) {
    if let until = refresh.holdUntil, until <= now.monotonic {
      refresh.holdUntil = nil
      for slot in 0..<UInt32(rooms.slotCount) where rooms.isInUse(slot) {
        let news = rooms[slot].roster.endHold()
        if !news.events.isEmpty { tell(news, room: slot, now: now) }
      }
    }
    while let number = refresh.counts.popDue(now: now.monotonic) { countDue(number, now: now) }
  }

  /// A big room's count is due: told, unless it is the old one, the room has become small, or the nodes are still
  /// making their users known.
  private mutating func countDue(_ number: RoomNumber, now: Now) {
    guard rooms.isInUse(number), rooms[number].duties.isCountDue else { return }
    rooms[number].duties.isCountDue = false
    guard rooms[number].roster.isBig else { return }
    if isHolding(now) { return tellCountLater(number, now: now) }
    if rooms[number].roster.count < RoomRoster.smallAgain {
      (rooms[number].duties.isShrinking, rooms[number].duties.isNeeded) = (true, true)
      mark(number)
    } else if rooms[number].roster.count != rooms[number].duties.toldCount {
      tellCount(number, now: now)
    }
  }
}
