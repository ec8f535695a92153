import RealtimeCore

/// All that happened in one room in one turn, framed once, for every shard that has members.
///
/// `frames` starts with the frames that everybody gets, next to each other, so that most members are sent one slice
/// as it is; after them come those for the few who get something else.
struct RoomBatch: Sendable {
  struct Item: Sendable {
    /// Where the item's common frame ends; it starts where that of the item before ends.
    var end: UInt32
    /// The connection that said it, wherever it is; gets `ack` instead of the common frame.
    var origin: ConnectionID?
    var ack: Range<UInt32>?
    /// This user's other connections get `ownFrame`, or nothing.
    var user: UserNumber?
    var ownFrame: Range<UInt32>?
    /// What the common frame is.
    var kind = SentKind.newMessage
  }

  var room: RoomNumber
  var frames: [UInt8]
  var items: [Item]

  /// What `connection`, of the item's user or the one that said it, gets of the item; `nil` for nothing.
  func frame(_ item: Int, for connection: ConnectionID) -> Range<UInt32>? {
    if items[item].origin == connection { return items[item].ack }
    return items[item].user == nil ? common(item..<item + 1) : items[item].ownFrame
  }

  /// Where the common frames of `items` are.
  func common(_ items: Range<Int>) -> Range<UInt32> {
    let start = items.lowerBound == 0 ? 0 : self.items[items.lowerBound - 1].end
    return items.isEmpty ? start..<start : start..<self.items[items.upperBound - 1].end
  }
}
