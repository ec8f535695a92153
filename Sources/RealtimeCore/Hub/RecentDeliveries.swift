/// The last 64 deliveries of a room, oldest out first: what a retry after a change of epoch is recognised by.
struct RecentDeliveries {
  struct Delivery {
    let key: Int
    let epoch: String
    /// How often somebody had entered the room.
    let entries: Int
    let time: Int64
  }

  private static var capacity: Int { 64 }
  /// As long as the relay itself recognises a repeat; later the same client id is another message.
  private static var memory: Int64 { 120_000 }
  private var deliveries: [Delivery] = []
  private var oldest = 0

  /// False when nobody is there for whom it is new.
  mutating func insert(_ delivery: Delivery) -> Bool {
    let isRepeat = deliveries.contains { earlier in
      earlier.key == delivery.key && earlier.epoch != delivery.epoch && earlier.entries == delivery.entries
        && delivery.time - earlier.time < Self.memory
    }
    if isRepeat { return false }
    if deliveries.count < Self.capacity {
      deliveries.append(delivery)
    } else {
      deliveries[oldest] = delivery
      oldest = (oldest + 1) % Self.capacity
    }
    return true
  }
}
