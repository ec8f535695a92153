import RealtimeCore

/// The rooms that connections of one shard are in, or on their way into.
///
/// A room has a place here from the first connection that asks for it to the last that is out of it. The hub's
/// number for it is learned when the hub lets the first connection in.
struct ShardRooms: ~Copyable {
  struct Member {
    var slot: UInt32
    /// Where the room is in the connection's own list.
    var entry: UInt32
    var user: UserNumber
  }

  /// Members whose frames are compressed for one size of window.
  struct Audience {
    let windowBits: UInt8
    var members: ContiguousArray<Member>
  }

  private struct Room {
    var name: RoomName
    var number: RoomNumber?
    /// Connections that list the room, members or not.
    var claims: UInt32
    /// Members who get plain frames …
    var members: ContiguousArray<Member>
    /// … and those who do not. Apart, so that fan-out asks nobody which he is.
    var audiences: ContiguousArray<Audience> = []
    /// Connections that are members and get nothing, because they lost messages and were not told yet.
    var muted: UInt32 = 0
  }

  private static let nowhere = UInt32.max
  private var rooms: ContiguousArray<Room> = []
  private var free: ContiguousArray<UInt32> = []
  private var byName: [RoomName: UInt32] = [:]
  private var byNumber: ContiguousArray<UInt32> = []

  var count: Int { byName.count }

  init() {}

  func find(_ name: RoomName) -> UInt32? { byName[name] }

  func name(of room: UInt32) -> RoomName { rooms[Int(room)].name }
  func isNamed(_ name: RoomName, _ room: UInt32) -> Bool { rooms[Int(room)].name == name }

  func find(number: RoomNumber) -> UInt32? {
    guard Int(number) < byNumber.count, byNumber[Int(number)] != Self.nowhere else { return nil }
    return byNumber[Int(number)]
  }

  func number(of room: UInt32) -> RoomNumber? { rooms[Int(room)].number }

  func mutedCount(_ room: UInt32) -> Int { Int(rooms[Int(room)].muted) }
  mutating func mute(_ room: UInt32) { rooms[Int(room)].muted += 1 }
  mutating func unmute(_ room: UInt32) { rooms[Int(room)].muted -= 1 }

  func members(_ room: UInt32) -> ContiguousArray<Member> { rooms[Int(room)].members }
  func audiences(_ room: UInt32) -> ContiguousArray<Audience> { rooms[Int(room)].audiences }

  /// One more connection lists the room.
  mutating func claim(_ name: RoomName) -> UInt32 {
    if let room = byName[name] {
      rooms[Int(room)].claims += 1
      return room
    }
    let fresh = Room(name: name, number: nil, claims: 1, members: [])
    let room: UInt32
    if let reused = free.popLast() {
      room = reused
      rooms[Int(room)] = fresh
    } else {
      room = UInt32(rooms.count)
      rooms.append(fresh)
    }
    byName[name] = room
    return room
  }

  /// One connection less lists it.
  mutating func release(_ room: UInt32) {
    rooms[Int(room)].claims -= 1
    guard rooms[Int(room)].claims == 0 else { return }
    byName[rooms[Int(room)].name] = nil
    if let number = rooms[Int(room)].number { byNumber[Int(number)] = Self.nowhere }
    rooms[Int(room)].members = []
    rooms[Int(room)].audiences = []
    free.append(room)
  }

  mutating func setNumber(_ number: RoomNumber, of room: UInt32) {
    while byNumber.count <= Int(number) { byNumber.append(Self.nowhere) }
    byNumber[Int(number)] = room
    rooms[Int(room)].number = number
  }

  mutating func forget(number: RoomNumber) {
    guard let room = find(number: number) else { return }
    byNumber[Int(number)] = Self.nowhere
    rooms[Int(room)].number = nil
  }

  // Positions count within the members of one window, 0 for plain frames, which a connection never changes.

  /// Returns the new member's position.
  mutating func add(_ member: Member, to room: UInt32, windowBits: UInt8) -> UInt32 {
    withMembers(room, windowBits) {
      $0.append(member)
      return UInt32($0.count - 1)
    }
  }

  /// Fills the hole with the last member and returns it, so that its connection learns its new position.
  mutating func remove(position: UInt32, from room: UInt32, windowBits: UInt8) -> Member? {
    withMembers(room, windowBits) {
      let last = $0.removeLast()
      guard Int(position) < $0.count else { return nil }
      $0[Int(position)] = last
      return last
    }
  }

  /// The member's connection moved the room to another place in its list.
  mutating func setEntry(_ entry: UInt32, of position: UInt32, in room: UInt32, windowBits: UInt8) {
    withMembers(room, windowBits) { $0[Int(position)].entry = entry }
  }

  private mutating func withMembers<Result>(
    _ room: UInt32, _ windowBits: UInt8, _ body: (inout ContiguousArray<Member>) -> Result
  ) -> Result {
    guard windowBits != 0 else { return body(&rooms[Int(room)].members) }
    let known = rooms[Int(room)].audiences.firstIndex { $0.windowBits == windowBits }
    let index = known ?? rooms[Int(room)].audiences.count
    if known == nil { rooms[Int(room)].audiences.append(Audience(windowBits: windowBits, members: [])) }
    return body(&rooms[Int(room)].audiences[index].members)
  }
}
