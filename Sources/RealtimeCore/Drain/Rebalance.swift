// Rebalance
//
// Connections live for hours, and a balancer only places new ones: nodes that are added stay empty. A node that has
// well more than its share sends some of its clients away, slowly, and the balancer gives them to whoever has least.
//
// Each node decides by itself, from the counts that come with every heartbeat's answer. Three things keep nodes from
// passing clients back and forth: a node begins well above the mean and ends before it reaches it; who was sent away
// and is not back yet is still counted; and after an end, or when nothing comes of it, a node rests.

/// Whether this node has too many of the cluster's connections, and how many to send away.
public struct Rebalance: Sendable {
  public struct Rules: Equatable, Sendable {
    /// How far above the mean a node must be before it begins, in percent of the mean.
    public var threshold: Int
    /// … and in connections.
    public var least: Int
    /// Connections sent away each second, at most.
    public var perSecond: Int

    public init(threshold: Int = 20, least: Int = 50, perSecond: Int = 20) {
      precondition(threshold > 0 && least > 0 && perSecond > 0)
      (self.threshold, self.least, self.perSecond) = (threshold, least, perSecond)
    }
  }

  /// What one look at the cluster showed.
  public struct Look: Equatable, Sendable {
    /// This node's connections.
    public var own: Int
    /// Those of the other nodes that take clients.
    public var others: [Int]
    /// There is a node that sends its clients away: they are about to come, and it is about to go.
    public var somebodyDrains: Bool

    public init(own: Int, others: [Int], somebodyDrains: Bool = false) {
      (self.own, self.others, self.somebodyDrains) = (own, others, somebodyDrains)
    }
  }

  /// Looks in a row that must agree before it begins.
  static let patience = 3
  /// A look that is older says nothing, in milliseconds.
  static let freshness: Int64 = 5_000
  /// For how long the largest total counts, in milliseconds, because those on the way from one node to another are in
  /// no count. If nodes send so many that a twentieth of all are on the way, for three seconds each, half of all have
  /// been moved in half a minute.
  static let memory: Int64 = 60_000
  /// How long it rests after an end, in milliseconds; twice as long each time that nothing came of it …
  static let rest: Int64 = 30_000
  /// … up to this.
  static let longestRest: Int64 = 3_600_000

  private let rules: Rules
  private var agreeing = 0
  private var isActive = false
  private var restsUntil = Int64.min
  private var nextRest = Self.rest
  private var lastLook: Int64?
  /// Totals of the last looks: the largest of them still holds who is on the way.
  private var totals: [(at: Int64, total: Int)] = []
  private var nodeCount = 0
  /// Of this episode: what it began with, what there was too much of, and what was sent away.
  private var began = (own: 0, excess: 0)
  private var sent = 0
  /// … after the last look.
  private var last = 0

  public init(_ rules: Rules) { self.rules = rules }

  /// Takes a look and says how many to send away until the next one.
  public mutating func look(_ look: Look, now: Int64) -> Int {
    let elapsed = lastLook.map { now - $0 }
    lastLook = now
    note(look, isFresh: elapsed.map { $0 <= Self.freshness } ?? false, now: now)
    // The first look after a while has nothing to be compared with.
    guard let elapsed, elapsed > 0, elapsed <= Self.freshness else { return stop() }
    guard !look.somebodyDrains, !look.others.isEmpty, now >= restsUntil else { return stop() }
    let mean = self.mean
    if !isActive { begin(look, mean) }
    guard isActive else { return 0 }
    // Ends a little above the mean, a quarter of what begins it.
    let excess = look.own - mean - mean * rules.threshold / 400
    guard excess > 0 else { return end(cameToSomething: true, now: now) }
    guard sent < 2 * began.excess else { return end(cameToSomething: look.own < began.own, now: now) }
    // Of those sent since the last look some, or all, may be among the own still.
    last = max(0, min(excess - last, max(1, rules.perSecond * Int(elapsed) / 1_000)))
    sent += last
    return last
  }

  /// The counts cannot be known just now.
  public mutating func goBlind() {
    lastLook = nil
    _ = stop()
  }

  private mutating func note(_ look: Look, isFresh: Bool, now: Int64) {
    let nodes = look.others.count + 1
    if !isFresh || nodes != nodeCount { agreeing = 0 }
    nodeCount = nodes
    totals.removeAll { now - $0.at > Self.memory || !isFresh }
    totals.append((now, look.own + look.others.reduce(0, +)))
  }

  /// What each node would have, rounded up.
  private var mean: Int {
    let total = totals.map(\.total).max() ?? 0
    return (total + nodeCount - 1) / nodeCount
  }

  private mutating func begin(_ look: Look, _ mean: Int) {
    let excess = look.own - mean
    guard excess >= rules.least, excess * 100 > mean * rules.threshold else { return agreeing = 0 }
    agreeing += 1
    guard agreeing >= Self.patience else { return }
    (isActive, began, sent, last) = (true, (look.own, excess), 0, 0)
  }

  private mutating func stop() -> Int {
    (agreeing, isActive) = (0, false)
    return 0
  }

  private mutating func end(cameToSomething: Bool, now: Int64) -> Int {
    nextRest = cameToSomething ? Self.rest : min(2 * nextRest, Self.longestRest)
    restsUntil = now + nextRest
    return stop()
  }
}
