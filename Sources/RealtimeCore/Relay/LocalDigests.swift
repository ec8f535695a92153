/// What was stored in the last two minutes, by digest: the memory behind "sending again does not store twice".
///
/// Buckets of ten seconds; the oldest goes whole. A hash of 128 bits under the process' random seed stands for user,
/// room and client id. Bounded: past a million messages in two minutes the oldest bucket goes early, so the promise
/// shortens for a node that carries more than 8,000 messages a second.
struct LocalDigests {
  struct Key: Hashable {
    private let high: Int
    private let low: Int

    init(user: String, room: RoomName, id: [UInt8]) {
      var hasher = Hasher()
      hasher.combine(UserKey(user))
      hasher.combine(room)
      unsafe id.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
      var other = hasher
      other.combine(1)
      (high, low) = (hasher.finalize(), other.finalize())
    }
  }

  private static var bucketMilliseconds: Int64 { 10_000 }
  private static var bucketCount: Int64 { 13 }
  private static var capacity: Int { 1_000_000 }

  private var buckets: [(period: Int64, places: [Key: Position])] = []
  private var count = 0

  mutating func find(_ key: Key, now: Int64) -> Position? {
    forget(now: now)
    for bucket in buckets { if let place = bucket.places[key] { return place } }
    return nil
  }

  mutating func insert(_ key: Key, _ place: Position, now: Int64) {
    let period = now / Self.bucketMilliseconds
    if buckets.last?.period != period { buckets.append((period, [:])) }
    buckets[buckets.count - 1].places[key] = place
    count += 1
    if count > Self.capacity, buckets.count > 1 { count -= buckets.removeFirst().places.count }
  }

  private mutating func forget(now: Int64) {
    let oldest = now / Self.bucketMilliseconds - Self.bucketCount + 1
    while let first = buckets.first, first.period < oldest { count -= buckets.removeFirst().places.count }
  }
}
