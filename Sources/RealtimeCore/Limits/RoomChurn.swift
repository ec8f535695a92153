/// How often a connection left each of its rooms lately, so that it does not come and go all the time.
///
/// Only leaving is written down, and joining looks at it: who stays where he is costs nothing, and leaving forgets
/// nothing. What says nothing any more is dropped on the way; there are never more than ``limit`` entries of 16 bytes.
struct RoomChurn: Sendable {
  /// Rooms that are remembered. Of more, the one that was left least goes: a client meets its other limits long before.
  static let limit = 64

  private struct Entry {
    /// Names the room. Two rooms with one hash would share their tokens, which happens once in 10^17 pairs.
    var room: Int
    var tokens: TokenBucket
  }

  private var entries: [Entry] = []

  var count: Int { entries.count }

  /// The client left the room at `now`, in nanoseconds.
  mutating func left(_ room: RoomName, at now: Int64, rate: Rate) {
    let name = room.hashValue
    if let index = entries.firstIndex(where: { $0.room == name }) {
      _ = entries[index].tokens.take(at: now, rate: rate)
      return
    }
    entries.removeAll { $0.tokens.isFull(at: now) }
    if entries.count == Self.limit, let fullest = entries.indices.max(by: { isLess($0, $1) }) {
      entries.remove(at: fullest)
    }
    var entry = Entry(room: name, tokens: TokenBucket())
    _ = entry.tokens.take(at: now, rate: rate)
    entries.append(entry)
  }

  /// Milliseconds until it may join the room again; `nil`: now.
  func wait(for room: RoomName, at now: Int64, rate: Rate) -> Int? {
    guard !entries.isEmpty else { return nil }
    let name = room.hashValue
    guard let entry = entries.first(where: { $0.room == name }) else { return nil }
    return entry.tokens.wait(at: now, rate: rate)
  }

  private func isLess(_ left: Int, _ right: Int) -> Bool { entries[right].tokens.isFuller(than: entries[left].tokens) }
}
