import Buffers
import RealtimeCore

extension ShardCore {
  // MARK: Membership

  /// The connection's client asked to join: it counts as joined from here on, the hub holds what it sends meanwhile.
  mutating func wantRoom(_ slot: UInt32, _ name: RoomName) {
    if let room = rooms.find(name), let entry = connections[slot].membership(in: room) {
      connections[slot].rooms[entry].isWanted = true
      return
    }
    let room = rooms.claim(name)
    connections[slot].rooms.append(
      .init(
        room: room, position: Connection.Membership.outside, leaving: 0, isWanted: true,
        maySend: connections[slot].session.maySend(to: name)))
  }

  /// The hub let the connection in: room items after this are for it.
  mutating func enter(_ id: ConnectionID, _ number: RoomNumber, _ name: RoomName, _ frame: RawSpan) {
    guard isOpen(id) else { return }
    if let room = rooms.find(name), let entry = connections[id.slot].membership(in: room) {
      rooms.setNumber(number, of: room)
      if connections[id.slot].rooms[entry].position == Connection.Membership.outside { list(id.slot, entry) }
    }
    text(id, frame)
  }

  /// The hub put the connection out, because it asked to leave or because its join failed.
  mutating func exit(_ id: ConnectionID, _ number: RoomNumber, _ name: RoomName, _ frame: RawSpan) {
    guard isOpen(id) else { return }
    if let room = rooms.find(name), let entry = connections[id.slot].membership(in: room) {
      removeMember(id.slot, entry)
      if connections[id.slot].rooms[entry].leaving > 0 {
        connections[id.slot].rooms[entry].leaving -= 1
      } else {
        connections[id.slot].rooms[entry].isWanted = false
      }
      // A join that was sent after the leave is still on its way.
      if !connections[id.slot].rooms[entry].isWanted { removeEntry(id.slot, entry) }
    }
    text(id, frame)
  }

  mutating func leaveAllRooms(_ slot: UInt32) {
    for entry in connections[slot].rooms.indices.reversed() {
      removeMember(slot, entry)
      rooms.release(connections[slot].rooms[entry].room)
    }
    connections[slot].rooms = []
  }

  /// The connection gets the room's items no longer.
  private mutating func removeMember(_ slot: UInt32, _ entry: Int) {
    let membership = connections[slot].rooms[entry]
    connections[slot].rooms[entry].position = Connection.Membership.outside
    if membership.isMuted { rooms.unmute(membership.room) }
    guard membership.isListed else { return }
    let windowBits = connections[slot].windowBits
    let last = rooms.remove(position: membership.position, from: membership.room, windowBits: windowBits)
    guard let moved = last else { return }
    connections[moved.slot].rooms[Int(moved.entry)].position = membership.position
  }

  /// Takes the entry out of the connection's list; the last one takes its place.
  private mutating func removeEntry(_ slot: UInt32, _ entry: Int) {
    rooms.release(connections[slot].rooms[entry].room)
    let last = connections[slot].rooms.removeLast()
    guard entry < connections[slot].rooms.count else { return }
    connections[slot].rooms[entry] = last
    guard last.isListed else { return }
    rooms.setEntry(UInt32(entry), of: last.position, in: last.room, windowBits: connections[slot].windowBits)
  }

  // MARK: Rooms of slow clients

  /// Messages of the room were dropped: the connection gets none until it was told so.
  mutating func mute(_ slot: UInt32, _ number: RoomNumber) {
    // Who left since then hears of nothing more anyway.
    guard let room = rooms.find(number: number), let entry = connections[slot].membership(in: room),
      connections[slot].rooms[entry].isListed
    else { return }
    removeMember(slot, entry)
    connections[slot].rooms[entry].position = Connection.Membership.muted
    connections[slot].flags.insert(.hasMutedRooms)
    rooms.mute(room)
    counters.muted &+= 1
    warnSlow(slot, "drop")
  }

  /// Its client reads again: the hub is asked for what tells it about the rooms it missed messages of.
  mutating func tellDropped(_ slot: UInt32) {
    connections[slot].flags.remove(.hasMutedRooms)
    for entry in connections[slot].rooms.indices
    where connections[slot].rooms[entry].position == Connection.Membership.muted {
      connections[slot].rooms[entry].position = Connection.Membership.mutedAndTold
      guard let number = rooms.number(of: connections[slot].rooms[entry].room) else { continue }
      hubCommands.append(.dropped(id(slot), number))
    }
  }

  /// The client learns that it missed messages, and gets the room's items again.
  mutating func resync(_ id: ConnectionID, _ number: RoomNumber, _ frame: RawSpan) {
    guard isOpen(id) else { return }
    if let room = rooms.find(number: number), let entry = connections[id.slot].membership(in: room),
      connections[id.slot].rooms[entry].isMuted
    {
      rooms.unmute(room)
      list(id.slot, entry)
    }
    text(id, frame)
  }

  /// Makes the connection one that the room's items are for.
  private mutating func list(_ slot: UInt32, _ entry: Int) {
    let member = ShardRooms.Member(slot: slot, entry: UInt32(entry), user: connections[slot].user)
    let room = connections[slot].rooms[entry].room
    connections[slot].rooms[entry].position = rooms.add(member, to: room, windowBits: connections[slot].windowBits)
  }

  // MARK: Fan-out

  /// Gives every member its part of what happened in a room.
  mutating func spread(_ batch: RoomBatch) {
    guard let room = rooms.find(number: batch.room) else { return }
    counters.dropped &+= rooms.mutedCount(room) &* batch.items.count
    let isAnySpecial = mark(batch.items)
    let plain = outbox.add(batch)
    spread(plain, to: rooms.members(room), isAnySpecial)
    for audience in rooms.audiences(room) where !audience.members.isEmpty {
      let compressed = compression.compressed(batch, windowBits: audience.windowBits).map { outbox.add($0) }
      spread(compressed ?? plain, to: audience.members, isAnySpecial)
    }
  }

  private mutating func spread(
    _ batch: Outbox.AddedBatch, to members: ContiguousArray<ShardRooms.Member>, _ isAnySpecial: Bool
  ) {
    counters.deliveries &+= members.count &* batch.batch.items.count
    for item in batch.batch.items { counters.send(item.kind, members.count) }
    guard isAnySpecial else {
      for member in members { outbox.appendShared(batch.piece, to: member.slot) }
      return
    }
    for member in members {
      let first = marks.first(of: member.user)
      if first == UserMarks.end {
        outbox.appendShared(batch.piece, to: member.slot)
      } else {
        spreadOwn(batch.batch, batch.source, to: member.slot, from: first)
      }
    }
  }

  /// Marks the users who get something else. Returns whether there are any.
  private mutating func mark(_ items: [RoomBatch.Item]) -> Bool {
    marks.begin()
    var isAny = false
    for item in items {
      let user = item.user ?? item.origin.flatMap { userHere($0) }
      marks.add(user)
      if user != nil { isAny = true }
    }
    return isAny
  }

  private func userHere(_ id: ConnectionID) -> UserNumber? {
    id.shard == index && connections.contains(id.key) ? connections[id.slot].user : nil
  }

  /// The sequence of a member who is special in some of the items, from item `first` on.
  private mutating func spreadOwn(_ batch: RoomBatch, _ source: UInt32, to slot: UInt32, from first: Int32) {
    let own = id(slot)
    var next = 0
    var special = first
    while special != UserMarks.end {
      let index = Int(special)
      outbox.append(source, batch.common(next..<index), messages: UInt32(index - next), to: slot)
      if let frame = batch.frame(index, for: own) { outbox.append(source, frame, messages: 1, to: slot) }
      recount(batch, index, for: own)
      next = index + 1
      special = marks.item(after: special)
    }
    let end = batch.items.count
    outbox.append(source, batch.common(next..<end), messages: UInt32(end - next), to: slot)
  }
  /// What the member got in the place of what all others do.
  private mutating func recount(_ batch: RoomBatch, _ item: Int, for own: ConnectionID) {
    let isSender = batch.items[item].origin == own
    if !isSender, batch.items[item].user == nil || batch.items[item].ownFrame != nil { return }
    counters.deliveries &-= 1
    counters.send(batch.items[item].kind, -1)
    guard isSender, let ack = batch.items[item].ack else { return }
    let range = Int(ack.lowerBound)..<Int(ack.upperBound)
    counters.send(unsafe SentKind(frame: batch.frames.span.bytes.extracting(range)))
  }
}
