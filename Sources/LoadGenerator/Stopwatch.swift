import EventLoops
import Glibc

/// The phases of a run in time, and what was used in the one that counts.
struct Stopwatch {
  enum Phase { case gathering, warming, measuring, draining, done }

  private(set) var phase = Phase.gathering
  private(set) var deadline: Int64?
  private var startedAt: Int64 = 0
  private var serverBefore = ProcessUsage()
  private var selfBefore = 0.0

  /// When the last phase has lasted long enough, the next begins. True when something begins or ends.
  mutating func advance(_ plan: borrowing BenchPlan, now: Int64, _ report: inout BenchReport) -> Bool {
    guard let deadline, now >= deadline else { return false }
    switch phase {
    case .gathering, .done: return false
    case .warming:
      serverBefore = ProcessUsage(of: plan.processes)
      selfBefore = Self.ownSeconds
      startedAt = monotonicNanoseconds()
      enter(.measuring, until: now + Int64(plan.seconds * 1_000))
    case .measuring:
      report.seconds = Double(monotonicNanoseconds() - startedAt) / 1e9
      report.server = ProcessUsage(of: plan.processes) - serverBefore
      report.generatorSeconds = Self.ownSeconds - selfBefore
      enter(.draining, until: now + 2_000)
    case .draining: enter(.done, until: now)
    }
    return true
  }

  mutating func start(_ plan: borrowing BenchPlan, now: Int64) {
    enter(.warming, until: now + Int64(plan.warmSeconds * 1_000))
  }

  /// The deadline is over, so that nobody waits for it.
  mutating func finish() { enter(.done, until: 0) }
  /// Something still arrives: be patient.
  mutating func keepDraining(now: Int64) { deadline = now + 2_000 }

  private mutating func enter(_ phase: Phase, until deadline: Int64) { (self.phase, self.deadline) = (phase, deadline) }

  private static var ownSeconds: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
