import Glibc
import Simulation

/// Runs seeds one after the other until one fails, and says how to see it again.
struct Runner {
  let order: Order
  private var total = Counts()
  private var found: [Invariant: (count: Int, seed: UInt64, words: String)] = [:]

  init(_ order: Order) { self.order = order }

  /// Answers the exit code.
  mutating func run() -> Int32 {
    let start = Self.processorSeconds()
    for seed in order.first..<order.first + UInt64(order.seeds) {
      let outcome = simulation(seed).run()
      total += outcome.counts
      guard let violation = outcome.violation else { continue }
      if !order.isSurvey { return explain(violation, seed, outcome.plan) }
      let before = found[violation.invariant]
      found[violation.invariant] = (
        (before?.count ?? 0) + 1, before?.seed ?? seed, before?.words ?? violation.words
      )
    }
    let seconds = Self.processorSeconds() - start
    for (invariant, what) in found.sorted(by: { $0.value.count > $1.value.count }) {
      print("\(what.count) × \(invariant.rawValue), first in seed \(what.seed): \(what.words)")
    }
    print("\(order.seeds) seeds from \(order.first) on: \(found.isEmpty ? "no violation" : "VIOLATIONS")")
    print("\(total.text); \(Int(Double(total.steps) / seconds)) steps per second of CPU")
    return found.isEmpty ? 0 : 1
  }

  private func simulation(_ seed: UInt64) -> Simulation {
    var simulation = Simulation(seed: seed, steps: order.steps)
    (simulation.mutant, simulation.isPrinting) = (order.mutant, order.isPrinting)
    (simulation.topology, simulation.servers) = (order.topology, order.servers)
    return simulation
  }

  private func explain(_ violation: Violation, _ seed: UInt64, _ plan: String) -> Int32 {
    var again = simulation(seed)
    (again.traceLimit, again.isPrinting) = (60, false)
    let second = again.run()
    print("VIOLATION of \(violation)\n\nseed \(seed): \(plan)\n")
    for line in second.trace { print(line) }
    if second.violation?.description != violation.description {
      print("\nTHE SECOND RUN DIFFERED: \(second.violation?.description ?? "no violation")")
    }
    let flags = "--topology \(order.topology) --servers \(order.servers)"
    print("\nagain:        .build/release/simulate 1 \(order.steps) \(seed) \(flags)")
    print("all of it:    … --trace")
    return 1
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
