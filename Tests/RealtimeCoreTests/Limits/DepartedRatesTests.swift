import Testing

@testable import RealtimeCore

@Suite struct DepartedRatesTests {
  private let lifetime: Int64 = 30_000

  private func spent() -> UserRate {
    var rate = UserRate()
    for _ in 0..<10 { _ = rate.message(at: 0) }
    return rate
  }

  @Test func `who comes back finds his bucket as he left it`() {
    var rates = DepartedRates()
    rates.keep(spent(), of: "ann", now: 0, lifetime: lifetime)
    rates.tick(now: lifetime, lifetime: lifetime)
    #expect(rates.take("ann") == spent(), "kept for one lifetime at least")
    #expect(rates.take("ann") == nil && rates.take("bob") == nil)
  }

  @Test func `a million users who came and went are bounded, and gone two lifetimes later`() throws {
    var rates = DepartedRates()
    for number in 0..<1_000_000 {
      rates.keep(spent(), of: "user \(number)", now: Int64(number) / 100, lifetime: lifetime)
      guard rates.count > 2 * DepartedRates.limit else { continue }
      Issue.record("\(rates.count) entries")
      return
    }
    #expect(rates.count > DepartedRates.limit)
    var turns = 0
    while let due = rates.nextDue {
      rates.tick(now: due, lifetime: lifetime)
      turns += 1
      try #require(turns <= 2)
    }
    #expect(rates.count == 0)
  }

  @Test func `memory is as long as a bucket takes to fill`() {
    let rate = Rate(burst: 10, perSecond: 1)
    var spent = spent()
    for _ in 0..<30 { _ = spent.message(at: 0, rate: rate) }
    let memory = UserRate.memory(rate)
    #expect(!spent.isIdle(at: (memory - 2) * 1_000_000) && spent.isIdle(at: memory * 1_000_000))
  }
}
