import RealtimeCore
import RoostTesting
import Testing

@Suite struct DrainPaceTests {
  /// When each one was sent, by a clock that always sleeps exactly until the next is due.
  private func times(_ pace: DrainPace) -> [Int64] {
    var (pace, times) = (pace, [Int64]())
    while let due = pace.nextDue {
      let taken = pace.take(now: due)
      #expect(taken > 0, "nothing is due at \(due), which it named")
      times += Array(repeating: due, count: taken)
    }
    #expect(pace.isOver && pace.take(now: .max / 2) == 0)
    return times
  }

  @Test(arguments: [(1, 10_000), (7, 1_000), (60, 600), (1_000, 10_000), (20_000, 10_000), (3, 1), (5, 0)])
  func `each goes once, evenly, from the first moment on and within the window`(count: Int, window: Int) {
    let times = times(DrainPace(count: count, over: Int64(window), from: 5_000))
    #expect(times.count == count && times == times.sorted())
    #expect(times[0] == 5_000 && times[count - 1] <= 5_000 + Int64(window))
    for part in 1...4 {
      let sent = times.count { $0 < 5_000 + Int64(window * part / 4) }
      #expect(abs(sent - count * part / 4) <= max(1, count / max(1, window)) || window < 100)
    }
  }

  @Test func `shards go between each other's`() {
    let all = (0..<4).flatMap { times(DrainPace(count: 25, over: 1_000, from: 0, share: ($0, 4))) }.sorted()
    #expect(all == (0..<100).map { Int64($0) * 10 })
  }

  @Test func `nobody to send is nothing to do`() {
    var pace = DrainPace(count: 0, over: 1_000, from: 0, share: (1, 2))
    #expect(pace.isOver && pace.nextDue == nil && pace.take(now: 10_000) == 0)
  }

  /// Never all at once: not even after the loop stood still for as long as it all should have taken.
  @Test(arguments: [UInt64](1...20)) func `a loop that stood still catches up in small steps`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let (count, window) = (Int.random(in: 1...5_000, using: &random), Int64.random(in: 500...20_000, using: &random))
    var pace = DrainPace(count: count, over: window, from: 0)
    let most = max(1, count * 100 / Int(window))
    var (now, sent, turns): (Int64, Int, Int) = (0, 0, 0)
    while let due = pace.nextDue {
      now =
        max(now, due) + (Int.random(in: 0..<10, using: &random) == 0 ? Int64.random(in: 0...5_000, using: &random) : 0)
      let taken = pace.take(now: now)
      #expect((0...most).contains(taken))
      (sent, turns) = (sent + taken, turns + 1)
      guard turns < 20_000 else { break }
    }
    #expect(sent == count)
  }
}

@Suite struct DrainTimetableTests {
  private let rules = DrainTimetable.Rules(wait: 3_000, window: 10_000, deadline: 30_000)

  @Test func `a full node waits, takes its window and has a second for the last words`() {
    let table = DrainTimetable(rules, connections: 20_000, now: 1_000)
    #expect(table.sendsAwayAt == 4_000 && table.window == 10_000)
    #expect(table.lastWordsAt == 30_000 && table.stopsAt == 30_750)
  }

  @Test func `few clients do not take the whole window, and nobody is not waited for`() {
    #expect(DrainTimetable(rules, connections: 60, now: 0).window == 600)
    let empty = DrainTimetable(rules, connections: 0, now: 7)
    #expect(empty.sendsAwayAt == 7 && empty.window == 0)
  }

  @Test(arguments: [Int64](stride(from: 0, through: 60_000, by: 500)))
  func `everything has its order and ends before the deadline`(wait: Int64) {
    for deadline: Int64 in [1_000, 2_500, 30_000] {
      let table = DrainTimetable(.init(wait: wait, window: 5_000, deadline: deadline), connections: 1_000, now: 0)
      #expect(table.sendsAwayAt <= deadline)
      #expect(table.lastWordsAt < table.stopsAt && table.stopsAt < deadline)
      #expect(table.lastWordsAt >= deadline * 3 / 4)
    }
  }
}
