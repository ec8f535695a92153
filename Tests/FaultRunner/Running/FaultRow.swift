import EventLoops
import Glibc
import RoostTesting

/// One run of some faults under a seed: a cluster of its own, its clients, and what came of it.
public struct FaultRow: Sendable {
  public let name: String
  public let summary: String
  public let seed: UInt64
  public let seconds: Double
  public internal(set) var counts = Counts()
  public internal(set) var notes: [String] = []
  /// What is wrong, in words.
  public internal(set) var evidence: [String] = []
  /// Why it could not be run.
  public internal(set) var failure: String?

  public var isGood: Bool { counts.violations == 0 && failure == nil }
}

/// What to run.
public struct FaultPlan: Sendable {
  /// Names of faults; `random` for faults drawn by the seed.
  public var faults: [String]
  public var seed: UInt64
  public var seconds: Double
  /// For all nodes, beside those of the faults.
  public var nodeFlags: [String] = []
  /// Redis servers that rooms are spread over: all but one are left in peace.
  public var servers = 1
  /// The one that is harmed is the last, not the first.
  public var harmsLast = false

  public init(faults: [String], seed: UInt64, seconds: Double) {
    (self.faults, self.seed, self.seconds) = (faults, seed, seconds)
  }

  /// All names, in the order of the table.
  public static var names: [String] { Fault.all.map(\.name) }
  public static func summary(of name: String) -> String? { Fault.named(name)?.summary }

  @MainActor
  public func run() async -> FaultRow {
    let isRandom = faults == ["random"]
    let chosen = isRandom ? Fault.all.filter { !$0.isOnlyByName && !$0.needsAOF } : faults.compactMap(Fault.named)
    let summary = chosen.count == 1 ? chosen[0].summary : isRandom ? "drawn by the seed" : "in turn"
    var row = FaultRow(name: faults.joined(separator: ","), summary: summary, seed: seed, seconds: seconds)
    do { try await Run(chosen, isRandom: isRandom, self).run(&row) } catch { row.failure = "\(error)" }
    return row
  }
}

@MainActor
private struct Run {
  let faults: [Fault]
  let isRandom: Bool
  let plan: FaultPlan

  init(_ faults: [Fault], isRandom: Bool, _ plan: FaultPlan) {
    (self.faults, self.isRandom, self.plan) = (faults, isRandom, plan)
  }

  func run(_ row: inout FaultRow) async throws {
    let appends = faults.contains(where: \.needsAOF)
    let site = try Site(
      seed: plan.seed, redisOptions: appends ? ["--appendonly", "yes", "--appendfsync", "everysec"] : [],
      flags: faults.flatMap(\.nodeFlags) + plan.nodeFlags, shifts: faults.contains(where: \.needsShiftedClocks),
      otherServers: plan.servers - 1, harmsLast: plan.harmsLast)
    defer { site.stop() }
    try await site.startAll()
    let people = faults.compactMap(\.plan).first ?? Crowd.Plan()
    let crowd = try Crowd(people, doors: site.doors, seed: plan.seed) { site.mint($0) }
    let scene = Scene(site: site, crowd: crowd, seed: plan.seed)
    async let turning: Void = crowd.run()
    var failure: (any Error)?
    var mayAnnounce = false
    do {
      guard await crowd.wait(seconds: Crowd.patience, until: { crowd.outsiders == 0 }) else {
        throw Site.Failure(description: "\(crowd.outsiders) clients never got in")
      }
      crowd.isTalking = true
      await scene.pause(1)
      mayAnnounce = try await strike(scene)
    } catch { failure = error }
    await crowd.finish(patience: Crowd.patience)
    await scene.checkPresence()
    crowd.ledger.blame(\.wronglyReaped, "leases were lost", times: site.wronglyReaped)
    if !mayAnnounce, crowd.ledger.counts.announced > 0 {
      crowd.ledger.blame(\.needless, "announcements without a loss", times: crowd.ledger.counts.announced)
    }
    crowd.stop()
    await turning
    row.counts = crowd.ledger.counts
    (row.notes, row.evidence) = (scene.notes, crowd.ledger.evidence)
    row.failure = failure.map { "\($0)" }
    if !row.isGood { row.evidence.append("the nodes' logs:\n" + site.logTail(12).map { "      \($0)\n" }.joined()) }
  }

  /// One fault after the other until the time is up; in a random run two at once now and then. True when one of them
  /// may lose data.
  private func strike(_ scene: Scene) async throws -> Bool {
    let deadline = monotonicMilliseconds() + Int64(plan.seconds * 1_000)
    var (turn, mayAnnounce) = (0, false)
    while turn == 0 || monotonicMilliseconds() < deadline {
      var now = [isRandom ? faults.randomElement(using: &scene.random) : faults[turn % faults.count]].compactMap(\.self)
      if isRandom, Bool.random(using: &scene.random), let other = faults.randomElement(using: &scene.random),
        Self.canCoincide(now[0], other)
      {
        now.append(other)
      }
      scene.crowd.ledger.counts.faults += now.count
      for fault in now where fault.mayAnnounce { mayAnnounce = true }
      if isRandom { scene.note(now.map(\.name).joined(separator: "+")) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for fault in now { group.addTask { try await fault.strike(scene) } }
        try await group.waitForAll()
      }
      turn += 1
      await scene.pause(Double.random(in: 0.3...1.5, using: &scene.random))
    }
    return mayAnnounce
  }

  /// Two that work on different things.
  private static func canCoincide(_ one: Fault, _ other: Fault) -> Bool {
    func isRedis(_ family: Fault.Family) -> Bool { family == .redis || family == .wire }
    return isRedis(one.family) != isRedis(other.family)
  }
}
