import EventLoops
import RoostTesting
import Testing

@Suite("Timers")
struct TimersTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `entries come up in the order of their deadlines`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var timers = Timers()
    var waiting: [(deadline: Int64, token: UInt64)] = []
    var now: Int64 = 0
    for token in 0..<500 as Range<UInt64> {
      let deadline = now + Int64.random(in: 0...100, using: &random)
      timers.add(deadline: deadline, token: token)
      waiting.append((deadline, token))
      guard Int.random(in: 0..<3, using: &random) == 0 else { continue }
      now += Int64.random(in: 0...60, using: &random)
      var last = Int64.min
      while let token = timers.popExpired(now: now) {
        let index = waiting.firstIndex { $0.token == token }!
        #expect(waiting[index].deadline <= now && waiting[index].deadline >= last)
        last = waiting.remove(at: index).deadline
      }
      #expect(waiting.allSatisfy { $0.deadline > now })
      #expect(timers.count == waiting.count)
      let soonest = waiting.map(\.deadline).min()
      #expect(timers.timeout(now: now) == soonest.map { CInt($0 - now) } ?? -1)
    }
  }

  @Test func `a deadline that has passed asks for no wait`() {
    var timers = Timers()
    timers.add(deadline: 5, token: 1)
    #expect(timers.timeout(now: 10) == 0)
  }
}
