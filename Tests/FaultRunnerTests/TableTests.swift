import FaultRunner
import Testing

@Suite struct TableTests {
  @Test func `every fault has a name of its own and says what it is`() {
    #expect(Set(FaultPlan.names).count == FaultPlan.names.count)
    #expect(FaultPlan.names.allSatisfy { FaultPlan.summary(of: $0)?.isEmpty == false })
  }

  @Test func `a broken promise shows`() {
    var counts = Counts()
    (counts.faults, counts.acked, counts.delivered, counts.announced) = (3, 100, 1_000, 5)
    #expect(counts.violations == 0)
    for column in Counts.columns where column.isPromise {
      var broken = counts
      broken[keyPath: column.path] = 1
      #expect(broken.violations == 1, "\(column.title)")
    }
  }
}
