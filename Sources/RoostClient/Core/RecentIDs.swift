/// Ids of the last messages that were seen, as many as a server ever sends again in one go and some more.
struct RecentIDs {
  static let limit = 512
  private var order: [String] = []
  private var next = 0
  private var known: Set<String> = []

  func contains(_ id: String) -> Bool { known.contains(id) }

  mutating func insert(_ id: String) {
    guard !id.isEmpty, known.insert(id).inserted else { return }
    if order.count < Self.limit {
      order.append(id)
    } else {
      known.remove(order[next])
      order[next] = id
      next = (next + 1) % Self.limit
    }
  }
}
