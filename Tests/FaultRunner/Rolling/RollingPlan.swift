import EventLoops
import LoadGenerator
import RoostTesting

/// Every node of a cluster is restarted, one after the other, then one more is added; clients talk all the while,
/// behind a balancer, and nobody may notice more than a reconnect.
public struct RollingPlan: Sendable {
  public var nodes = 3
  public var clients = 300
  public var messagesPerSecond = 60.0
  public var seed: UInt64 = 1
  /// How long a node goes on before it sends its clients away, and over how long it does that, in seconds.
  public var drain = NodeDrain.Rules(wait: 1, window: 3)
  /// Connections a node sends away each second to balance.
  public var rebalanceRate = 20

  public init() {}

  @MainActor
  public func run() async -> RollingReport {
    var report = RollingReport(self)
    do { try await RollingRun(self).run(&report) } catch { report.problems.append("\(error)") }
    return report
  }
}

@MainActor
private struct RollingRun {
  private let plan: RollingPlan
  /// Longer than a user who left may be thought to be there.
  private static let settling = 4.0
  /// What nodes have as reconnect-spread, in milliseconds.
  private static let spread: Int64 = 1_000

  init(_ plan: RollingPlan) { self.plan = plan }

  func run(_ report: inout RollingReport) async throws {
    let site = try RollingSite(
      places: plan.nodes + 1, connections: plan.clients,
      flags: [
        "--drain-wait", "\(plan.drain.wait)", "--drain-window", "\(plan.drain.window)",
        "--reconnect-spread", "\(Double(Self.spread) / 1_000)", "--rebalance", "--rebalance-least", "10",
        "--rebalance-rate", "\(plan.rebalanceRate)",
      ])
    defer { site.stop() }
    for place in 0..<plan.nodes { try await site.start(place) }
    try await ClusterUnderTest.eventually("the balancer reaches a node", seconds: 10) {
      HTTPProbe.get("/readyz", from: site.balancer.address, milliseconds: 500)?.status == 200
    }
    var people = Crowd.Plan()
    (people.clients, people.rooms) = (plan.clients, max(3, plan.clients / 15))
    people.messagesPerSecond = plan.messagesPerSecond
    let crowd = try Crowd(people, doors: [site.door], seed: plan.seed) { site.mint($0) }
    // Which endings there may be is judged by their kind.
    crowd.excusedNodes = [0]
    async let turning: Void = crowd.run()
    do {
      guard await crowd.wait(seconds: 60, until: { crowd.outsiders == 0 }) else {
        throw Site.Failure(description: "\(crowd.outsiders) clients never got in")
      }
      crowd.isTalking = true
      await Crowd.pause(Self.settling)
      let before = crowd.presenceEvents
      for place in 0..<plan.nodes { try await restart(place, site, crowd, &report) }
      report.restartAbsences = crowd.absences
      try await grow(site, crowd, &report)
      await crowd.finish(patience: 30)
      await Crowd.pause(Self.settling)
      report.flickers = crowd.presenceEvents - before
    } catch { report.problems.append("\(error)") }
    crowd.stop()
    await turning
    judge(crowd, &report)
    if !report.isGood { report.evidence.append("logs:\n" + site.logTail(12).map { "      \($0)\n" }.joined()) }
  }

  private func restart(_ place: Int, _ site: RollingSite, _ crowd: Crowd, _ report: inout RollingReport) async throws {
    let (connections, refusals, start) = (site.connections(place), crowd.refusals, monotonicMilliseconds())
    let code = await site.end(place)
    let seconds = Double(monotonicMilliseconds() - start) / 1_000
    report.drains.append(
      NodeDrain(
        connections: connections, seconds: seconds, refused: crowd.refusals - refusals,
        leftLease: try site.leases() >= plan.nodes))
    if code != 0 { report.problems.append("node \(place) exits with \(code)") }
    try await site.start(place)
    guard await crowd.wait(seconds: 30, until: { crowd.outsiders == 0 }) else {
      throw Site.Failure(description: "\(crowd.outsiders) clients are not back after node \(place)")
    }
    // The balancer has found it, or the next one would be missed while this one still is.
    try await ClusterUnderTest.eventually("the balancer uses \(place + 1) of \(plan.nodes)", seconds: 10) {
      HTTPProbe.get("/readyz", from: site.balancer.address, milliseconds: 500)?.status == 200
    }
    await Crowd.pause(1)
  }

  /// One more node, and the others send clients there until all have about as many.
  private func grow(_ site: RollingSite, _ crowd: Crowd, _ report: inout RollingReport) async throws {
    // What restarts left uneven is evened out first.
    _ = await crowd.wait(seconds: 60) { Self.isEven(site.spread) }
    let moved = site.closes("rebalancing")
    try await site.start(plan.nodes)
    let start = monotonicMilliseconds()
    report.spreadBefore = site.spread
    guard await crowd.wait(seconds: 120, until: { crowd.outsiders == 0 && Self.isEven(site.spread) }) else {
      throw Site.Failure(description: "not even after 120 s: \(site.spread)")
    }
    report.growth = Double(monotonicMilliseconds() - start) / 1_000
    // Nobody may be sent back.
    await Crowd.pause(10)
    report.spreadAfter = site.spread
    report.moved = site.closes("rebalancing") - moved
  }

  /// Nobody has more than a fifth, or ten, above the mean.
  private static func isEven(_ spread: [Int]) -> Bool {
    let mean = Double(spread.reduce(0, +)) / Double(max(1, spread.count))
    return spread.allSatisfy { $0 >= 0 && Double($0) <= max(mean * 1.2, mean + 10) }
  }

  private func judge(_ crowd: Crowd, _ report: inout RollingReport) {
    if crowd.ledger.counts.announced > 0 {
      crowd.ledger.blame(\.needless, "announcements without a loss", times: crowd.ledger.counts.announced)
    }
    (report.counts, report.evidence) = (crowd.ledger.counts, crowd.ledger.evidence)
    report.problems += NodeDrain.problems(report.drains, plan.drain)
    report.problems += crowd.farewells.problems(spread: Self.spread)
    report.absences = crowd.absences
    let endings = crowd.errors.filter { !$0.key.hasPrefix("refused") }
    report.endings = crowd.errors
    for (ending, count) in endings where ending != "\(Ending.closed(code: 1_012))" {
      report.problems.append("\(count) connections ended otherwise: \(ending)")
    }
  }
}
