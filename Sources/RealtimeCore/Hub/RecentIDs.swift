/// The hashes of the last 64 ids, oldest out first.
struct RecentIDs {
  private static var capacity: Int { 64 }
  private var ids: [Int] = []
  private var oldest = 0

  /// False when it was there.
  mutating func insert(_ id: Int) -> Bool {
    if ids.contains(id) { return false }
    if ids.count < Self.capacity {
      ids.append(id)
    } else {
      ids[oldest] = id
      oldest = (oldest + 1) % Self.capacity
    }
    return true
  }
}
