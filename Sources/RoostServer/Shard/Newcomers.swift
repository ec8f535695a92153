import RealtimeCore

/// Connections in the order they came, as long as the first of them has not completed a request.
///
/// Those that are done stay until they come to the front, which is within the handshake's time.
struct Newcomers {
  private var ids: ContiguousArray<ConnectionID> = []
  private var head = 0

  var first: ConnectionID? { head < ids.count ? ids[head] : nil }
  var count: Int { ids.count - head }

  mutating func append(_ id: ConnectionID) { ids.append(id) }

  mutating func removeFirst() {
    head += 1
    if head == ids.count {
      ids.removeAll(keepingCapacity: ids.capacity <= 64)
      head = 0
    } else if head >= 64, head * 2 >= ids.count {
      ids.removeFirst(head)
      head = 0
    }
  }
}
