import Buffers
import RealtimeCore
import WebSocketCore

/// Gathers the items of each room until something must come after them, then frames them together.
struct BatchBuilder: ~Copyable {
  private struct Room {
    /// Shards that may have members, one bit each: set when a connection enters, cleared when the room is forgotten.
    var shards: UInt64 = 0
    var first = BatchBuilder.none
    var last = BatchBuilder.none
  }

  private struct Waiting {
    var item: RoomItem
    var next: Int32
  }

  private static let none: Int32 = -1
  private var rooms: ContiguousArray<Room> = []
  private var items: ContiguousArray<Waiting> = []
  /// Rooms with items, in the order of their first one; those before ``sealed`` are done.
  private var open: ContiguousArray<RoomNumber> = []
  private var sealed = 0
  private var frames = ByteBuffer()

  init(shards: Int) { precondition(shards <= 64, "shards are kept in 64 bits") }

  mutating func enter(_ room: RoomNumber, shard: UInt8) {
    reach(room)
    rooms[Int(room)].shards |= 1 << UInt64(shard)
  }

  mutating func forget(_ room: RoomNumber) {
    reach(room)
    rooms[Int(room)].shards = 0
  }

  mutating func add(_ item: RoomItem, to room: RoomNumber) {
    reach(room)
    let index = Int32(items.count)
    items.append(Waiting(item: item, next: Self.none))
    if rooms[Int(room)].first == Self.none {
      rooms[Int(room)].first = index
      open.append(room)
    } else {
      items[Int(rooms[Int(room)].last)].next = index
    }
    rooms[Int(room)].last = index
  }

  /// The batch of the next room with items, and the shards that need it; `nil` when there is none left.
  mutating func next(_ text: RawSpan) -> (RoomBatch, shards: UInt64)? {
    guard sealed < open.count else {
      guard sealed > 0 else { return nil }
      open.removeAll(keepingCapacity: true)
      items.removeAll(keepingCapacity: true)
      sealed = 0
      return nil
    }
    let room = open[sealed]
    sealed += 1
    let first = rooms[Int(room)].first
    rooms[Int(room)].first = Self.none
    return frame(room, from: first, text)
  }

  private mutating func frame(_ room: RoomNumber, from first: Int32, _ text: RawSpan) -> (RoomBatch, UInt64) {
    var framed: [RoomBatch.Item] = []
    frames.removeAll()
    var next = first
    while next != Self.none {
      let item = items[Int(next)].item
      FrameWriter.append(.text, text.extracting(item.text), to: &frames)
      let kind = SentKind(text: text.extracting(item.text))
      framed.append(.init(end: UInt32(frames.count), origin: item.origin, user: item.ownUser, kind: kind))
      next = items[Int(next)].next
    }
    next = first
    for index in framed.indices {
      let item = items[Int(next)].item
      framed[index].ack = special(item.ack, text)
      framed[index].ownFrame = special(item.ownText, text)
      next = items[Int(next)].next
    }
    return (RoomBatch(room: room, frames: frames.array(), items: framed), rooms[Int(room)].shards)
  }

  private mutating func special(_ range: TextRange?, _ text: RawSpan) -> Range<UInt32>? {
    guard let range else { return nil }
    let start = UInt32(frames.count)
    FrameWriter.append(.text, text.extracting(range), to: &frames)
    return start..<UInt32(frames.count)
  }

  private mutating func reach(_ room: RoomNumber) {
    while rooms.count <= Int(room) { rooms.append(Room()) }
  }
}
