/// One room of ``LocalRelay``: its numbers, its last messages, its members.
struct LocalRoom {
  private struct Entry: RingEntry {
    let text: [UInt8]
    let storedAt: Int64

    static var blank: Entry { Entry(text: [], storedAt: 0) }
    /// The text, its header, and the entry itself.
    var cost: Int { text.count + 64 }
  }

  let name: RoomName
  private let epoch: String
  private var lastOffset = 0
  private var lastUse: Int64
  /// The last messages, up to `lastOffset`.
  private var ring = RoomRing<Entry>()
  /// User id → name.
  private var members: [UserKey: String] = [:]
  private(set) var version = 0

  init(name: RoomName, epoch: String, now: Int64) { (self.name, self.epoch, lastUse) = (name, epoch, now) }

  var top: Position { Position(epoch: epoch, offset: lastOffset) }
  /// The memory of its messages, about, in bytes.
  var cost: Int { ring.cost }

  mutating func append(_ text: [UInt8], now: Int64, limit: Int) -> Position {
    lastOffset += 1
    lastUse = now
    ring.append(Entry(text: text, storedAt: now), at: lastOffset, limit: limit)
    return top
  }

  /// Everything above `known` in order; `nil` when some of it is gone or `known` is of another run.
  func messages(above known: Position) -> [(offset: Int, text: [UInt8])]? {
    guard known.epoch == epoch, known.offset <= lastOffset else { return nil }
    if known.offset == lastOffset { return [] }
    guard !ring.isEmpty, known.offset >= ring.firstOffset - 1 else { return nil }
    return messages(from: known.offset + 1, below: lastOffset + 1)
  }

  /// The last `limit` messages below `before`, next to each other up to there.
  func messages(before: Int, limit: Int) -> [(offset: Int, text: [UInt8])] {
    let end = min(before, lastOffset + 1)
    let first = max(end - limit, ring.firstOffset)
    return ring.isEmpty || first >= end ? [] : messages(from: first, below: end)
  }

  private func messages(from first: Int, below end: Int) -> [(offset: Int, text: [UInt8])] {
    zip(first..<end, ring.entries(from: first, below: end)).map { ($0, $1.text) }
  }

  mutating func forget(before time: Int64) {
    while let first = ring.first, first.storedAt < time { ring.removeFirst() }
  }

  /// Forgets the oldest message; false when there is none.
  mutating func forgetFirst() -> Bool {
    guard !ring.isEmpty else { return false }
    ring.removeFirst()
    return true
  }

  func isIdle(since time: Int64) -> Bool { members.isEmpty && ring.isEmpty && lastUse < time }

  /// True when the user was not there before, or is there no longer.
  mutating func change(_ identity: Identity, isJoin: Bool, now: Now) -> Bool {
    lastUse = now.monotonic
    let wasThere = members[identity.key] != nil
    members[identity.key] = isJoin ? identity.name : nil
    guard wasThere != isJoin else { return false }
    version = max(version + 1, Int(now.wall) * 1_000)
    return true
  }

  var memberCount: Int { members.count }

  var roster: Roster {
    let shown = members.count > RelayLimits.rosterFull ? RelayLimits.rosterNames : members.count
    let named = members.prefix(shown).compactMap { Identity(user: $0.key.id, name: $0.value) }
    return Roster(members: named, count: members.count, top: top, version: version)
  }
}
