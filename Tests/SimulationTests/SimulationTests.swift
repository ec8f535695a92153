import RealtimeCore
import Simulation
import Testing

/// A few seeds of the simulation in every test run, and those that once found something.
@Suite(.timeLimit(.minutes(30)))
struct SimulationTests {
  @Test(arguments: 1...12)
  func `A cluster keeps its promises under faults`(_ seed: Int) {
    let outcome = Simulation(seed: UInt64(seed), steps: 2_000).run()
    #expect(outcome.violation == nil, "make simulate SEEDS=1 STEPS=2000 SEED=\(seed)")
    #expect(outcome.counts.delivered > 0 && outcome.counts.acked > 0)
  }

  @Test(arguments: 1...8)
  func `It keeps them with a channel per room as well`(_ seed: Int) {
    var simulation = Simulation(seed: UInt64(seed), steps: 2_000)
    simulation.topology = .rooms
    let outcome = simulation.run()
    #expect(outcome.violation == nil, "scripts/simulate 1 2000 \(seed) --topology rooms")
    #expect(outcome.counts.delivered > 0 && outcome.counts.acked > 0)
  }

  @Test(arguments: 1...8)
  func `It keeps them with its rooms on several servers`(_ seed: Int) {
    var simulation = Simulation(seed: UInt64(seed), steps: 2_000)
    simulation.servers = seed.isMultiple(of: 2) ? 2 : 3
    simulation.topology = seed < 5 ? .broadcast : .rooms
    let outcome = simulation.run()
    let flags = "--topology \(simulation.topology) --servers \(simulation.servers)"
    #expect(outcome.violation == nil, "scripts/simulate 1 2000 \(seed) \(flags)")
    #expect(outcome.counts.delivered > 0 && outcome.counts.acked > 0)
  }

  @Test(arguments: Regression.all)
  func `What was found once stays mended`(_ regression: Regression) {
    let outcome = Simulation(seed: regression.seed, steps: regression.steps).run()
    #expect(outcome.violation == nil, "\(regression.was)")
  }

  @Test func `A seed tells the whole run`() {
    let runs = (0..<2).map { _ in Simulation(seed: 7, steps: 2_000).run() }
    #expect(runs[0].fingerprint == runs[1].fingerprint)
    #expect(runs[0].counts.text == runs[1].counts.text)
    #expect(runs[0].fingerprint != Simulation(seed: 8, steps: 2_000).run().fingerprint)
  }
}
