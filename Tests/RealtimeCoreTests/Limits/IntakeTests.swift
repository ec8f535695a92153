import RealtimeCore
import RoostTesting
import Testing

private let second: Int64 = 1_000_000_000

@Suite struct IntakeTests {
  private let rules = Intake.Rules(bytesPerSecond: 1_000, burst: 4_000)

  @Test func `the burst passes, and what is more has to be paid`() {
    var intake = Intake()
    #expect(intake.debt(at: 0, rules: rules) == 0)
    #expect(intake.take(4_000, at: 0, rules: rules) == 0)
    #expect(intake.take(500, at: 0, rules: rules) == 500)
    #expect(intake.debt(at: second / 4, rules: rules) == 250)
    #expect(intake.debt(at: second / 2, rules: rules) == 0)
    #expect(intake.take(1, at: second / 2, rules: rules) == 1)
  }

  @Test func `a clock that steps back costs the burst at most`() {
    var intake = Intake()
    _ = intake.take(1, at: 1_000_000 * second, rules: rules)
    #expect(intake.take(1, at: 0, rules: rules) == 1)
    #expect(intake.take(0, at: 4 * second, rules: rules) == 0)
  }

  /// Whoever reads only when there is no debt takes the rate and the burst, and one more read.
  @Test(arguments: 0..<30 as Range<UInt64>)
  func `in the long run it is the rate`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var intake = Intake()
    var (now, taken) = (Int64(0), 0)
    let largest = 3_000
    while now < 100 * second {
      if intake.debt(at: now, rules: rules) == 0 {
        let bytes = Int.random(in: 1...largest, using: &generator)
        taken += bytes
        let wait = intake.take(bytes, at: now, rules: rules)
        #expect(wait <= Int64(largest), "one read is the most that is owed")
      }
      now += .random(in: 0...second / 2, using: &generator)
    }
    #expect((85_000...107_000).contains(taken), "\(taken)")
  }

  @Test func `it is eight bytes`() { #expect(MemoryLayout<Intake>.size == 8) }
}
