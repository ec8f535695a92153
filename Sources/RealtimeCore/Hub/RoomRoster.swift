// RoomRoster
//
// Who is in one room, as this node's members were told. Two things feed it: snapshots (the relay's answers) and
// presence frames. Both carry the room's presence version, so whichever comes late is known to be old news.
//
//     frame ────► take    ─┬─ current: the one change it tells, unless it is no change here
//                          └─ not current: kept until the snapshot that is on its way is there
//     snapshot ─► compare ── what differs from what members were told, then the kept frames above its version
//     doubt ───────────────► not current: frames may have been missed, only a snapshot asked from now on settles it
//
// Joins and leaves alternate per user, because only a change of this list is ever told. After the relay lost its
// memory everybody seems to be gone: who is missing then is *suspect*, stays in the list while all nodes make their
// users known again, and leaves only when that time is over.
//
// A room over 200 members is big until it is back under 160: it has no list, only the exact count that every frame
// carries.

/// One room's members as this node tells them; bounded, whatever the room's size.
struct RoomRoster {
  /// What one presence frame says.
  struct Change {
    let version: Int
    let user: Identity
    let isJoin: Bool
    /// The room's users after it; `nil` when the frame did not say.
    let count: Int?
  }

  /// What members are to hear of.
  struct News {
    var events: [(user: Identity, isJoin: Bool)] = []
    /// A big room's count may have changed.
    var isCounted = false
    /// The room was big and is so no longer.
    var isSmallAgain = false
    /// Something does not fit: only a new snapshot helps.
    var isDoubtful = false
  }

  /// A big room that falls below this is told by events again.
  static let smallAgain = 160
  /// Frames kept while a snapshot is on its way; beyond it another snapshot is asked for.
  static let keptLimit = 256

  private(set) var version = -1
  private(set) var count = 0
  /// In the order of their ids; empty in a big room.
  private(set) var members: [Identity] = []
  private(set) var isBig = false
  /// Every change since the last snapshot is in it.
  private(set) var isCurrent = false
  /// A snapshot came, so there is something that changes can be told against.
  private var isKnown = false
  private var suspects: [UserKey] = []
  private var kept: [Change] = []
  private var isOverflowing = false

  // MARK: Inputs

  /// Frames may have been missed. The snapshot that settles it is taken whatever its version: a new generation may
  /// begin with lower ones.
  mutating func doubt() { isCurrent = false }

  /// A snapshot is asked for; what came before is in it.
  mutating func asked() {
    kept = []
    isOverflowing = false
  }

  /// A presence frame came; `isAsked`: a snapshot is on its way.
  mutating func take(_ change: Change, isAsked: Bool) -> News {
    guard isCurrent else {
      if isAsked { keep(change) }
      return News()
    }
    guard change.version > version else { return News() }
    version = change.version
    return isBig ? recount(change) : apply(change)
  }

  /// A snapshot came.
  ///
  /// - Parameters:
  ///   - isFresh: it was asked for after the last doubt.
  ///   - isHolding: the nodes are making their users known again; nobody leaves for not being there yet.
  ///   - mayShrink: a big room that is small enough may be told by events again.
  mutating func compare(_ snapshot: Roster, isFresh: Bool, isHolding: Bool, mayShrink: Bool) -> News {
    var news = News()
    let settles = !isCurrent && isFresh
    if settles || snapshot.version > version || (mayShrink && snapshot.version == version) {
      version = snapshot.version
      news = isBig ? shrink(snapshot, mayShrink: mayShrink) : difference(snapshot, isHolding: isHolding)
      isKnown = true
    } else if mayShrink {
      news.isDoubtful = true  // its names are older than what is known: ask again
    }
    if settles { settle(&news) }
    return news
  }

  /// All nodes had time to make their users known: who is still missing left. A snapshot that is awaited tells by
  /// itself.
  mutating func endHold() -> News {
    var news = News()
    guard isCurrent else { return news }
    for suspect in suspects {
      guard let place = place(of: suspect) else { continue }
      news.events.append((members.remove(at: place), false))
    }
    suspects = []
    return news
  }

  // MARK: Queries

  /// What a member is shown in answer to `snapshot`.
  func shown(_ snapshot: Roster) -> Roster {
    var shown = snapshot
    if isBig {
      shown.members = Array(snapshot.members.prefix(RelayLimits.rosterNames))
      shown.count = count
    } else {
      (shown.members, shown.count) = (members, members.count)
    }
    return shown
  }

  // MARK: Parts

  private mutating func keep(_ change: Change) {
    isOverflowing = isOverflowing || kept.count == Self.keptLimit
    if !isOverflowing { kept.append(change) }
  }

  private mutating func recount(_ change: Change) -> News {
    count = change.count ?? max(0, count + (change.isJoin ? 1 : -1))
    return News(isCounted: true)
  }

  private mutating func apply(_ change: Change) -> News {
    var news = News()
    let place = lowerBound(change.user.key)
    let isThere = place < members.count && members[place].key == change.user.key
    suspects.removeAll { $0 == change.user.key }
    if isThere != change.isJoin {
      if change.isJoin { members.insert(change.user, at: place) } else { members.remove(at: place) }
      news.events = [(change.user, change.isJoin)]
    }
    count = members.count - suspects.count
    if let told = change.count, told != count {
      (count, isCurrent) = (told, false)
      news.isDoubtful = true
    }
    guard members.count > RelayLimits.rosterFull else { return news }
    grow()
    return News(isCounted: true, isDoubtful: news.isDoubtful)
  }

  private mutating func grow() {
    isBig = true
    (members, suspects) = ([], [])
  }

  private mutating func shrink(_ snapshot: Roster, mayShrink: Bool) -> News {
    let isNew = count != snapshot.count
    count = snapshot.count
    guard mayShrink, count < Self.smallAgain else { return News(isCounted: isNew) }
    isBig = false
    members = Self.ordered(snapshot)
    return News(isSmallAgain: true)
  }

  private mutating func difference(_ snapshot: Roster, isHolding: Bool) -> News {
    count = snapshot.count
    guard snapshot.count <= RelayLimits.rosterFull else {
      grow()
      return News(isCounted: isKnown)
    }
    let (old, new) = (members, Self.ordered(snapshot))
    suspects = []
    members = new
    guard isKnown else { return News() }
    var news = News()
    var place = 0
    for user in old {
      while place < new.count, new[place].key < user.key { place += 1 }
      if place < new.count, new[place].key == user.key { continue }
      if isHolding { suspects.append(user.key) } else { news.events.append((user, false)) }
    }
    place = 0
    for user in new {
      while place < old.count, old[place].key < user.key { place += 1 }
      if place == old.count || old[place].key != user.key { news.events.append((user, true)) }
    }
    guard isHolding, !suspects.isEmpty else { return news }
    let missing = old.filter { suspects.contains($0.key) }
    members = (new + missing).sorted { $0.key < $1.key }
    guard members.count > RelayLimits.rosterFull else { return news }
    grow()
    return News(isCounted: true)
  }

  /// Nothing is missing any more: what came meanwhile follows.
  private mutating func settle(_ news: inout News) {
    let late = kept
    (kept, isCurrent) = ([], true)
    for change in late {
      let more = take(change, isAsked: false)
      news.events += more.events
      news.isCounted = news.isCounted || more.isCounted
      news.isDoubtful = news.isDoubtful || more.isDoubtful
    }
    if isOverflowing {
      (isOverflowing, isCurrent) = (false, false)
      news.isDoubtful = true
    }
  }

  private func place(of user: UserKey) -> Int? {
    let place = lowerBound(user)
    return place < members.count && members[place].key == user ? place : nil
  }

  private func lowerBound(_ user: UserKey) -> Int {
    var (low, high) = (0, members.count)
    while low < high {
      let middle = (low + high) / 2
      if members[middle].key < user { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func ordered(_ snapshot: Roster) -> [Identity] { snapshot.members.sorted { $0.key < $1.key } }
}
