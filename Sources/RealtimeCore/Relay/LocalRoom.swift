/// One room of ``LocalRelay``: its numbers, its last messages, its members.
struct LocalRoom {
  private struct Entry {
    let text: [UInt8]
    let storedAt: Int64
  }

  private let epoch: String
  private var lastOffset = 0
  private var lastUse: Int64
  /// The last messages, oldest at `oldest` once the ring is full.
  private var ring: [Entry] = []
  private var oldest = 0
  /// User id → name.
  private var members: [String: String] = [:]
  private(set) var version = 0

  init(epoch: String, now: Int64) { (self.epoch, lastUse) = (epoch, now) }

  var top: Position { Position(epoch: epoch, offset: lastOffset) }

  mutating func append(_ text: [UInt8], now: Int64, limit: Int) -> Position {
    lastOffset += 1
    lastUse = now
    let entry = Entry(text: text, storedAt: now)
    if ring.count < limit {
      ring.append(entry)
    } else if limit > 0 {
      ring[oldest] = entry
      oldest = (oldest + 1) % limit
    }
    return top
  }

  /// Everything above `known` in order; `nil` when some of it is gone or `known` is of another run.
  func messages(above known: Position) -> [(offset: Int, text: [UInt8])]? {
    let missed = lastOffset - known.offset
    guard known.epoch == epoch, missed >= 0, missed <= ring.count else { return nil }
    return (ring.count - missed..<ring.count).map { index in
      (lastOffset - ring.count + index + 1, ring[(oldest + index) % ring.count].text)
    }
  }

  mutating func forget(before time: Int64) {
    guard ring.contains(where: { $0.storedAt < time }) else { return }
    ring = (0..<ring.count).map { ring[(oldest + $0) % ring.count] }.filter { $0.storedAt >= time }
    oldest = 0
  }

  func isIdle(since time: Int64) -> Bool { members.isEmpty && ring.isEmpty && lastUse < time }

  /// True when the user was not there before, or is there no longer.
  mutating func change(_ identity: Identity, isJoin: Bool, now: Now) -> Bool {
    lastUse = now.monotonic
    let wasThere = members[identity.user] != nil
    members[identity.user] = isJoin ? identity.name : nil
    guard wasThere != isJoin else { return false }
    version = max(version + 1, Int(now.wall) * 1_000)
    return true
  }

  var memberCount: Int { members.count }

  var roster: Roster {
    let shown = members.count > RelayLimits.rosterFull ? RelayLimits.rosterNames : members.count
    let named = members.prefix(shown).compactMap { Identity(user: $0.key, name: $0.value) }
    return Roster(members: named, count: members.count, top: top, version: version)
  }
}
