import RealtimeCore

// Which rooms' channels the subscriber's connection has. Pure: the clock is an argument.
//
//     follow ──► asked ──confirmed──► held ──unfollow──► lingers ──10 s──► UNSUBSCRIBE
//                                      ▲──── follow ───────┘
//
// Lingering spares a room whose last member is away for a moment two commands and a read. Only what was confirmed is
// left again, so of one channel there is never more than one SUBSCRIBE on its way, and a confirmation means the last.

/// The channels of rooms on one connection, or of none.
struct RoomChannels {
  /// Milliseconds that a channel is kept for nobody.
  static let patience: Int64 = 10_000
  /// Channels kept for nobody; one more, and the oldest is left at once.
  static let lingererLimit = 4_096

  private struct Entry {
    /// Redis confirmed the subscription.
    var isHeld = false
    var isWanted = true
    /// Which lingering this is; one that was cut short leaves its place in the queue.
    var turn = 0
  }

  private var entries: [RoomName: Entry] = [:]
  /// In the order of their ends.
  private var lingerers: [(room: RoomName, turn: Int, until: Int64)] = []
  private var firstLingerer = 0
  private var turns = 0
  /// SUBSCRIBE for the node's own channels was sent on this connection.
  private var isUp = false
  private var subscribing: [RoomName] = []
  private var unsubscribing: [RoomName] = []

  var count: Int { entries.count }

  /// True when its frames come already.
  mutating func follow(_ room: RoomName) -> Bool {
    guard entries[room] == nil else {
      entries[room]!.isWanted = true
      return entries[room]!.isHeld
    }
    entries[room] = Entry()
    if isUp { subscribing.append(room) }
    return false
  }

  mutating func unfollow(_ room: RoomName, now: Int64) {
    guard entries[room]?.isWanted == true else { return }
    linger(room, until: now + Self.patience)
  }

  private mutating func linger(_ room: RoomName, until: Int64) {
    turns += 1
    (entries[room]!.isWanted, entries[room]!.turn) = (false, turns)
    lingerers.append((room, turns, until))
  }

  func isFollowed(_ room: RoomName) -> Bool { entries[room]?.isWanted == true }

  // MARK: The connection

  /// A new one subscribes: returns the rooms to begin with.
  mutating func begin() -> [RoomName] {
    lost()
    isUp = true
    entries = entries.filter(\.value.isWanted)
    (lingerers, firstLingerer) = ([], 0)
    return entries.keys.sorted { $0.text < $1.text }
  }

  /// It is gone, with all its subscriptions.
  mutating func lost() {
    isUp = false
    (subscribing, unsubscribing) = ([], [])
    for room in entries.keys { entries[room]!.isHeld = false }
  }

  /// Redis confirmed a subscription; false when none was asked for.
  mutating func confirmed(_ room: RoomName) -> Bool {
    guard entries[room]?.isHeld == false else { return false }
    entries[room]!.isHeld = true
    return true
  }

  // MARK: Changes

  /// There is something to tell Redis.
  var hasNews: Bool { !subscribing.isEmpty || !unsubscribing.isEmpty }

  /// What to tell it: first which channels to leave, then which to join.
  mutating func takeNews() -> (left: [RoomName], joined: [RoomName]) {
    defer { (subscribing, unsubscribing) = ([], []) }
    return (unsubscribing, subscribing)
  }

  var deadline: Int64? { firstLingerer < lingerers.count ? lingerers[firstLingerer].until : nil }

  /// Leaves channels that nobody came back to.
  mutating func tick(now: Int64) {
    while let due = deadline, due <= now || lingerers.count - firstLingerer > Self.lingererLimit {
      let (room, turn, _) = lingerers[firstLingerer]
      firstLingerer += 1
      if let entry = entries[room], !entry.isWanted, entry.turn == turn { leave(room, entry, now: now) }
    }
    guard firstLingerer > 0, firstLingerer == lingerers.count || firstLingerer >= 1_024 else { return }
    lingerers.removeFirst(firstLingerer)
    firstLingerer = 0
  }

  private mutating func leave(_ room: RoomName, _ entry: Entry, now: Int64) {
    // Not confirmed in all that time: the connection is about to be given up, or Redis is slow.
    if isUp && !entry.isHeld { return linger(room, until: now + Self.patience) }
    entries[room] = nil
    if isUp { unsubscribing.append(room) }
  }
}
