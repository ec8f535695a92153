import RealtimeCore
import RoostTesting
import Testing

@testable import RoostServer

@Suite("Members of a room")
struct ShardRoomsTests {
  /// A member as the test remembers it.
  private struct Place {
    var windowBits: UInt8
    var position: UInt32
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `come and go, each among those with its window`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var rooms = ShardRooms()
    let room = rooms.claim(try #require(RoomName("lobby")))
    var places: [UInt32: Place] = [:]
    for slot in 0..<400 as Range<UInt32> {
      let windowBits: UInt8 = [0, 0, 9, 12, 15].randomElement(using: &random) ?? 0
      let member = ShardRooms.Member(slot: slot, entry: slot, user: 1)
      let position = rooms.add(member, to: room, windowBits: windowBits)
      places[slot] = Place(windowBits: windowBits, position: position)
      guard Bool.random(using: &random) else { continue }
      let leaving = places.keys.sorted().randomElement(using: &random)
      guard let leaving, let place = places.removeValue(forKey: leaving) else { continue }
      let moved = rooms.remove(position: place.position, from: room, windowBits: place.windowBits)
      if let moved { places[moved.slot]?.position = place.position }
      let staying = places.keys.sorted().randomElement(using: &random)
      guard let staying, let kept = places[staying] else { continue }
      rooms.setEntry(staying + 1_000, of: kept.position, in: room, windowBits: kept.windowBits)
      #expect(listed(rooms, room, kept)?.entry == staying + 1_000)
    }
    for (slot, place) in places { #expect(listed(rooms, room, place)?.slot == slot) }
    let count = rooms.members(room).count + rooms.audiences(room).reduce(0) { $0 + $1.members.count }
    #expect(count == places.count && rooms.audiences(room).count == 3)
  }

  private func listed(_ rooms: borrowing ShardRooms, _ room: UInt32, _ place: Place) -> ShardRooms.Member? {
    let audience = rooms.audiences(room).first { $0.windowBits == place.windowBits }
    return (audience?.members ?? rooms.members(room))[Int(place.position)]
  }
}
