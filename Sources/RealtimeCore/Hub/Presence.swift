// Presence
//
// Who this node says is online and in which room. Redis holds the sum over all nodes; this is one node's share.
//
//     change (join, leave) ──► waiting ──► one request at a time, in order ──► relay
//
// One request at a time, because a batch that failed is sent again and must not overtake a later one. A node lives
// under an *incarnation*: a name with a lease. When the lease was lost (fenced), or Redis begins a new generation, the
// node takes the next incarnation and makes everything known again; what the old one left behind is reaped.

/// One node's share of presence: its lease and the changes on their way.
struct Presence {
  static let heartbeatInterval: Int64 = 2_000
  /// How long a node that does not renew its lease counts as living.
  static let leaseDuration: Int64 = 6_000
  /// Connection counts are told this soon after a change.
  static let countDelay: Int64 = 100

  /// A user who lost his last connection in a room and may come back before others are told.
  private struct Leaver: Hashable {
    let room: RoomName
    let user: String
  }

  private let instance: String
  private var incarnationNumber = 0
  var incarnation: String { "\(instance):\(incarnationNumber)" }

  var isRegistered = false
  /// A request about the lease is on its way.
  var isRegistering = false
  /// The node is going; what its connections do no longer counts.
  var isDeparted = false
  var maySpeak: Bool { isRegistered && !isDeparted }
  var isChanging = false
  var waiting: [PresenceChange] = []
  /// Numbers of the last change that was made, and of the last one that was sent.
  private(set) var lastChange = 0
  private(set) var lastSent = 0
  private(set) var retryAt: Int64?
  private var failures = 0
  var heartbeatAt: Int64
  var countAt: Int64?
  private(set) var nodes: [String] = []
  var reaping: Set<String> = []

  private var leavers: [Leaver: (identity: Identity, turn: Int)] = [:]
  private var leaving = DelayQueue<(leaver: Leaver, turn: Int)>()
  private var leaveTurn = 0
  /// Rooms that wait for their joiners' changes to be sent.
  private var sleepers: [RoomNumber] = []

  init(instance: String, now: Int64) {
    self.instance = instance
    heartbeatAt = now + Self.heartbeatInterval
  }

  var nextDeadline: Int64 {
    var earliest = heartbeatAt
    if maySpeak, let countAt { earliest = min(earliest, countAt) }
    if maySpeak, let retryAt { earliest = min(earliest, retryAt) }
    if let leave = leaving.nextDue { earliest = min(earliest, leave) }
    return earliest
  }

  mutating func change(room: RoomName?, _ identity: Identity, isJoin: Bool) {
    lastChange += 1
    waiting.append(PresenceChange(room: room, user: identity.user, name: identity.name, isJoin: isJoin))
  }

  mutating func connectionsChanged(now: Int64) { countAt = countAt ?? now + Self.countDelay }

  /// The count could not be told: once more in a while, if no heartbeat brings it sooner.
  mutating func countLater(now: Int64) { countAt = now + RoomRetries.longest }

  // MARK: Sending

  /// The next batch to send, or `nil` while one is on its way or nothing waits.
  mutating func takeBatch(now: Int64) -> [PresenceChange]? {
    guard maySpeak, !isChanging, !waiting.isEmpty, retryAt.map({ $0 <= now }) ?? true else { return nil }
    retryAt = nil
    let batch = Array(waiting.prefix(RelayLimits.changesPerRequest))
    waiting.removeFirst(batch.count)
    lastSent += batch.count
    isChanging = true
    return batch
  }

  /// The batch may not have run: it goes first again.
  mutating func putBack(_ batch: [PresenceChange], now: Int64) {
    waiting.insert(contentsOf: batch, at: 0)
    lastSent -= batch.count
    failures += 1
    retryAt = now + RoomRetries.delay(attempt: failures)
  }

  /// The batch ran.
  mutating func settled() { (isChanging, failures) = (false, 0) }

  /// The relay is back: what waits for its retry goes at once.
  mutating func retryNow(now: Int64) {
    failures = 0
    if retryAt != nil { retryAt = now }
  }

  /// Takes a new name and forgets what was on its way; the hub makes everything known again. Returns the old name.
  mutating func renew() -> String {
    let old = incarnation
    incarnationNumber += 1
    (isRegistered, isRegistering, isChanging) = (false, false, false)
    waiting.removeAll()
    lastSent = lastChange
    leavers.removeAll()
    (retryAt, failures) = (nil, 0)
    return old
  }

  mutating func learn(nodes: [String]) { self.nodes = nodes }

  // MARK: Grace

  mutating func leaveLater(room: RoomName, _ identity: Identity, due: Int64) {
    leaveTurn += 1
    let leaver = Leaver(room: room, user: identity.user)
    leavers[leaver] = (identity, leaveTurn)
    leaving.append((leaver, leaveTurn), due: due)
  }

  /// True when the user was about to leave: nothing needs to be told.
  mutating func cancelLeave(room: RoomName, user: String) -> Bool {
    leavers.removeValue(forKey: Leaver(room: room, user: user)) != nil
  }

  /// Tells of those whose grace is over.
  mutating func endGraces(now: Int64) {
    while let due = leaving.popDue(now: now) {
      guard let entry = leavers[due.leaver], entry.turn == due.turn else { continue }
      leavers[due.leaver] = nil
      change(room: due.leaver.room, entry.identity, isJoin: false)
    }
  }

  // MARK: Rooms that wait

  mutating func wake(_ room: RoomNumber) { sleepers.append(room) }

  mutating func takeSleepers() -> [RoomNumber] {
    defer { sleepers.removeAll() }
    return sleepers
  }
}
