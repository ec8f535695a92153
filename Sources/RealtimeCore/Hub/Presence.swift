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
  /// A heartbeat without an answer is sent again this soon: waiting for the next one's time could cost the lease.
  static let heartbeatRetry: Int64 = 250
  /// Connection counts are told this soon after a change.
  static let countDelay: Int64 = 100

  /// A user who lost his last connection in a room and may come back before others are told.
  private struct Leaver: Hashable {
    let room: RoomName
    let user: UserKey
  }

  /// What a change is about: a user in a room, or online.
  private struct Place: Hashable {
    let room: RoomName?
    let user: UserKey
  }

  private let instance: String
  private var incarnationNumber = 0
  var incarnation: String { "\(instance):\(incarnationNumber)" }

  var isRegistered = false
  /// A request about the lease is on its way.
  var isRegistering = false
  /// When the relay last said that the lease is renewed.
  private(set) var renewedAt: Int64?
  /// Its clients are being sent away: others may know.
  var isDraining = false
  /// The node is going; what its connections do no longer counts.
  var isDeparted = false
  /// … and the relay knows, or cannot be told.
  var hasDeparted = false
  /// How long its users have to come back elsewhere, in milliseconds.
  var departureGrace = 0
  var maySpeak: Bool { isRegistered && !isDeparted }
  var isChanging = false
  /// Changes to send, by their numbers.
  private var waiting: [(number: Int, change: PresenceChange)] = []
  /// So many of the first were sent before, and may have run.
  private var triedCount = 0
  /// What is on its way.
  private var sent: [(number: Int, change: PresenceChange)] = []
  /// When so many wait, those who came and went unseen are looked for again.
  private var pairsSoughtAt = 1_024
  /// The number of the last change that was made.
  private(set) var lastChange = 0
  /// Every change up to this one was sent, or need not be.
  var lastSent: Int { (waiting.first?.number ?? lastChange + 1) - 1 }
  private(set) var retryAt: Int64?
  private var failures = 0
  var heartbeatAt: Int64
  var countAt: Int64?
  private(set) var nodes: [NodeStanding] = []
  var reaping: Set<String> = []

  private var leavers: [Leaver: (identity: Identity, turn: Int)] = [:]
  private var leaving = DelayQueue<(leaver: Leaver, turn: Int)>()
  /// Those who have longer, because they were sent away.
  private var returning = DelayQueue<(leaver: Leaver, turn: Int)>()
  private var leaveTurn = 0
  /// Rooms that wait for their joiners' changes to be sent.
  private var sleepers: Set<RoomNumber> = []

  init(instance: String, now: Int64) {
    self.instance = instance
    heartbeatAt = now + Self.heartbeatInterval
  }

  var nextDeadline: Int64 {
    var earliest = heartbeatAt
    if maySpeak, let countAt { earliest = min(earliest, countAt) }
    if maySpeak, let retryAt { earliest = min(earliest, retryAt) }
    if let leave = leaving.nextDue { earliest = min(earliest, leave) }
    if let leave = returning.nextDue { earliest = min(earliest, leave) }
    return earliest
  }

  mutating func change(room: RoomName?, _ identity: Identity, isJoin: Bool) {
    lastChange += 1
    waiting.append((lastChange, PresenceChange(room: room, user: identity.user, name: identity.name, isJoin: isJoin)))
    if waiting.count >= pairsSoughtAt { forgetPairs() }
  }

  /// How many changes wait to be sent.
  var waitingCount: Int { waiting.count }

  /// Who came and went, or went and came, before the relay heard of it need not be told of: while the relay is away
  /// clients try again and again. What was tried may have run and stays.
  private mutating func forgetPairs() {
    var firsts: [Place: Int] = [:]
    var isNeeded = [Bool](repeating: true, count: waiting.count)
    for index in triedCount..<waiting.count {
      let change = waiting[index].change
      let place = Place(room: change.room, user: UserKey(change.user))
      if let first = firsts[place], waiting[first].change.isJoin != change.isJoin,
        waiting[first].change.name == change.name
      {
        (isNeeded[first], isNeeded[index]) = (false, false)
        firsts[place] = nil
      } else {
        firsts[place] = index
      }
    }
    waiting = zip(waiting, isNeeded).compactMap { $1 ? $0 : nil }
    pairsSoughtAt = max(1_024, 2 * waiting.count)
  }

  mutating func connectionsChanged(now: Int64) { countAt = countAt ?? now + Self.countDelay }

  /// A request about the lease had no answer.
  mutating func beatAgain(now: Int64) { heartbeatAt = min(heartbeatAt, now + Self.heartbeatRetry) }

  /// The count could not be told: once more in a while, if no heartbeat brings it sooner.
  mutating func countLater(now: Int64) { countAt = now + RoomRetries.longest }

  // MARK: Sending

  /// The next batch to send, or `nil` while one is on its way or nothing waits.
  mutating func takeBatch(now: Int64) -> [PresenceChange]? {
    guard maySpeak, !isChanging, !waiting.isEmpty, retryAt.map({ $0 <= now }) ?? true else { return nil }
    retryAt = nil
    sent = Array(waiting.prefix(RelayLimits.changesPerRequest))
    waiting.removeFirst(sent.count)
    triedCount = 0
    isChanging = true
    return sent.map(\.change)
  }

  /// The batch may not have run: it goes first again.
  mutating func putBack(now: Int64) {
    waiting.insert(contentsOf: sent, at: 0)
    triedCount = sent.count
    (isChanging, sent) = (false, [])
    failures += 1
    retryAt = now + RoomRetries.delay(attempt: failures)
  }

  /// The batch ran.
  mutating func settled() { (isChanging, sent, failures) = (false, [], 0) }

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
    (waiting, sent, triedCount) = ([], [], 0)
    leavers.removeAll()
    (retryAt, failures) = (nil, 0)
    return old
  }

  /// The lease holds, and so do those of these nodes.
  mutating func learn(nodes: [NodeStanding], now: Int64) { (self.nodes, renewedAt) = (nodes, now) }

  // MARK: Grace

  mutating func leaveLater(room: RoomName, _ identity: Identity, due: Int64) {
    leaving.append(leaver(room, identity), due: due)
  }

  /// The user was sent to another node, and leaves only when he does not come there.
  mutating func returnElsewhere(room: RoomName, _ identity: Identity, due: Int64) {
    returning.append(leaver(room, identity), due: due)
  }

  private mutating func leaver(_ room: RoomName, _ identity: Identity) -> (leaver: Leaver, turn: Int) {
    leaveTurn += 1
    let leaver = Leaver(room: room, user: identity.key)
    leavers[leaver] = (identity, leaveTurn)
    return (leaver, leaveTurn)
  }

  /// True when the user was about to leave: nothing needs to be told.
  mutating func cancelLeave(room: RoomName, user: String) -> Bool {
    leavers.removeValue(forKey: Leaver(room: room, user: UserKey(user))) != nil
  }

  /// Tells of those whose grace is over.
  mutating func endGraces(now: Int64) {
    while let due = leaving.popDue(now: now) ?? returning.popDue(now: now) {
      guard let entry = leavers[due.leaver], entry.turn == due.turn else { continue }
      leavers[due.leaver] = nil
      change(room: due.leaver.room, entry.identity, isJoin: false)
    }
  }

  // MARK: Rooms that wait

  mutating func wake(_ room: RoomNumber) { sleepers.insert(room) }

  mutating func takeSleepers() -> [RoomNumber] {
    defer { sleepers.removeAll() }
    return sleepers.sorted()
  }
}
