public import RealtimeCore

// Simulation
//
// A whole cluster in one thread, under one seed:
//
//     SimulatedClient ── HubCommand ──► SimulatedNode ── RESP over SimulatedWire ──► SimulatedRedis
//       checks what     ◄── texts ────   real Hub,      ◄─────── Network ─────────    scripts in Swift
//       it hears                         real RedisRelay     delays, pieces, cuts
//                                        or SpreadRelay
//
// World has the time, the chance and the plan of what happens next. Faults break things. Ledger sees what was really
// stored and is told what everybody heard; the first thing that must not be becomes the run's Violation.
//
// What is real: everything of RealtimeCore and RedisRelay that a node runs, hiredis included. What is not: sockets,
// shards, WebSocket, and Redis itself, whose likeness the relay's contract suite shows.

/// One run: steps with faults, then quiet, then proof that everybody is served.
public struct Simulation {
  public let seed: UInt64
  /// Steps in which things go wrong; the quiet end comes on top.
  public let steps: Int
  /// A rule of Redis' scripts to switch off.
  public var mutant: RedisMutant?
  public var topology = RelayTopology.broadcast
  /// Redis servers that rooms are spread over.
  public var servers = 1
  /// Lines of trace to keep.
  public var traceLimit = 0
  public var isPrinting = false

  public init(seed: UInt64, steps: Int) { (self.seed, self.steps) = (seed, steps) }

  public struct Outcome: Sendable {
    public let violation: Violation?
    public let counts: Counts
    public let trace: [String]
    /// What the run was about: nodes, rooms, users, clients.
    public let plan: String
    /// Of everything that happened: equal for equal runs.
    public let fingerprint: Int
  }

  public func run() -> Outcome {
    var dice = Dice(seed: seed)
    var plan = Cluster.Plan(dice: &dice)
    (plan.topology, plan.servers) = (topology, servers)
    let cluster = Cluster(seed: seed, plan: plan, mutant: mutant)
    let world = cluster.world
    world.trace.limit = traceLimit
    world.trace.isPrinting = isPrinting
    let faults = Faults(cluster: cluster, pace: dice.pick([60, 250, 1_000])!)
    // A calm start, so that there is something to break.
    world.after(200_000) { faults.begin() }
    while cluster.ledger.violation == nil, world.steps < steps, world.step() {}
    if cluster.ledger.violation == nil { quieten(cluster, faults) }
    var counts = cluster.ledger.counts
    counts.steps = world.steps
    let outcome = Outcome(
      violation: cluster.ledger.violation, counts: counts, trace: world.trace.lines, plan: "\(plan)",
      fingerprint: fingerprint(counts, world))
    cluster.end()
    return outcome
  }

  /// Nothing goes wrong any more: after a while everything is settled, and everybody can say something to everybody.
  private func quieten(_ cluster: Cluster, _ faults: Faults) {
    let (world, ledger) = (cluster.world, cluster.ledger)
    world.trace.note("quiet", "nothing goes wrong from here on")
    faults.mend()
    for client in cluster.clients { client.isCalm = true }
    let phases: [(seconds: Int64, next: () -> Void)] = [
      (26 + cluster.servers.map(\.redis.secondsOfDying).max()!, cluster.checkSettled),
      (0, { for client in cluster.clients { client.sendEverywhere() } }),
      (4, cluster.checkSettled),
      (0, { for node in cluster.nodes { node.askOnline() } }),
      (1, cluster.checkOnline),
    ]
    for phase in phases {
      let end = world.clock.microseconds + phase.seconds * 1_000_000
      while ledger.violation == nil, world.step(before: end) {}
      guard ledger.violation == nil else { return }
      world.clock.advance(to: end)
      phase.next()
    }
  }

  private func fingerprint(_ counts: Counts, _ world: World) -> Int {
    var dice = world.dice
    return Int(truncatingIfNeeded: dice.next()) &+ Int(world.clock.microseconds) &+ counts.delivered
  }
}
