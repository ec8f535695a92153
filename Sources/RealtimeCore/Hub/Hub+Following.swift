import Buffers

// Following rooms
//
// Where the relay has a channel per room, the node follows a room from the moment its first member is on the way in
// until the room is forgotten. The way in does not wait for it: the roster tells where the room stands as soon as the
// relay answers, and once the room is followed it is doubted like all rooms after a lost subscription. So what was said
// between the roster and the subscription is read, from a known position, and who came or went meanwhile is told as
// the difference; also when the room falls silent afterwards and no gap would show.

extension Hub {
  /// Tells the relay that the room has members here, once.
  mutating func follow(_ number: RoomNumber) {
    guard configuration.followsRooms, !rooms[number].isFollowed, !rooms[number].users.isEmpty else { return }
    rooms[number].isFollowed = true
    output.actions.append(.follow(rooms[number].name))
  }

  /// The room is about to be forgotten.
  mutating func unfollow(_ number: RoomNumber) {
    if rooms[number].isFollowed { output.actions.append(.unfollow(rooms[number].name)) }
  }

  /// The room's frames come from now on; some may have been missed.
  mutating func followed(_ name: RoomName, now: Now) {
    guard let number = roomNumbers[name], rooms[number].isFollowed else { return }
    rooms[number].stream.doubt(now: now.monotonic)
    rooms[number].roster.doubt()
    rooms[number].duties.isNeeded = true
    mark(number)
  }
}
