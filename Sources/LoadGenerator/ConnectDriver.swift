import Buffers
import EventLoops

/// Connections that are dropped as soon as they are open, and made anew: what a handshake costs.
struct ConnectDriver: Measurement, ~Copyable {
  let plan: BenchPlan
  private(set) var report = BenchReport()
  private var watch = Stopwatch()
  private var startedAt: [Int64]
  /// Who has to connect (again).
  private var free: [Int]
  private var connects = 0

  init(_ plan: BenchPlan) {
    self.plan = plan
    startedAt = Array(repeating: 0, count: plan.connections)
    free = Array(0..<plan.connections)
    report.scenario = .connect
    (report.planned, report.connections) = (plan.connections, plan.connections)
  }

  var isDone: Bool { watch.phase == .done }
  var deadline: Int64? { watch.deadline }

  mutating func opened(_ client: UInt32, tag: Int, _ wire: inout Wire) {
    if watch.phase == .measuring {
      report.deliveries += 1
      report.latency.add(UInt64(max(0, wire.now - startedAt[tag])))
    }
    wire.drop(client)
    free.append(tag)
  }

  mutating func ended(_ client: UInt32, tag: Int, _ ending: Ending, _ wire: inout Wire) {
    fail("\(ending)")
    free.append(tag)
  }

  mutating func received(_ message: borrowing RawSpan, by client: UInt32, tag: Int, _ wire: inout Wire) {}

  mutating func turn(_ wire: inout Wire) {
    if watch.phase == .gathering { watch.start(plan, now: wire.milliseconds) }
    if watch.advance(plan, now: wire.milliseconds, &report), watch.phase == .measuring { report.sent = 0 }
    // A server that turns everybody away is told from one that is only slow.
    if report.errors > 100 * plan.connections { watch.finish() }
    guard watch.phase == .warming || watch.phase == .measuring else { return watch.finish() }
    while let tag = free.popLast() {
      startedAt[tag] = monotonicNanoseconds()
      do {
        connects += 1
        report.sent += 1
        try wire.open(plan.endpoint(of: connects, isPublisher: false), tag: tag)
      } catch {
        fail("\(error)")
        free.append(tag)
        return
      }
    }
  }

  private mutating func fail(_ error: String) {
    report.errors += 1
    if report.firstError.isEmpty { report.firstError = error }
  }
}
