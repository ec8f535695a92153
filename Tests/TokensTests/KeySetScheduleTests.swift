import Testing
import Tokens

/// When a set is fetched. No clock: the tests say what time it is.
@Suite struct KeySetScheduleTests {
  static let minute: Int64 = 60_000
  static let start: Int64 = 1_000_000

  /// A schedule whose first fetch, at ``start``, was good.
  static func settled() -> KeySetSchedule {
    var schedule = KeySetSchedule()
    _ = schedule.start(now: start)
    _ = schedule.ended(isGood: true, now: start)
    return schedule
  }

  @Test func `fetches at once, then every ten minutes`() {
    var schedule = KeySetSchedule()
    #expect(schedule.wait(now: 5) == 0)
    let first = schedule.start(now: 5)
    let again = schedule.start(now: 5)
    #expect(first && !again, "one at a time")
    let outcome = schedule.ended(isGood: true, now: 100)
    #expect(outcome == .replaced && schedule.wait(now: 100) == 10 * Self.minute)
    let early = schedule.start(now: 99 + 10 * Self.minute)
    let due = schedule.start(now: 100 + 10 * Self.minute)
    #expect(!early && due)
  }

  @Test func `an unknown key is looked for once a minute`() {
    var schedule = Self.settled()
    var now = Self.start + 1
    let first = schedule.unknownKey(now: now)
    let fetches = schedule.start(now: now)
    let joins = (0..<50).map { _ in schedule.unknownKey(now: now) }
    #expect(first && fetches && joins.allSatisfy(\.self), "all wait for one fetch")
    _ = schedule.ended(isGood: true, now: now)
    let later = [0, 1, 30_000, Self.minute - 1].map { schedule.unknownKey(now: now + $0) }
    #expect(later.allSatisfy { !$0 })
    #expect(schedule.wait(now: now + Self.minute - 1) > 0, "nothing is fetched for those who were refused")
    now += Self.minute
    let next = schedule.unknownKey(now: now)
    let fetchesAgain = schedule.start(now: now)
    #expect(next && fetchesAgain)
  }

  @Test func `made-up keys cannot buy more while fetches fail`() {
    var schedule = Self.settled()
    var fetches = 0
    for second in Int64(1)...600 {
      let now = Self.start + second * 1_000
      _ = schedule.unknownKey(now: now)
      if schedule.start(now: now) {
        fetches += 1
        _ = schedule.ended(isGood: false, now: now)
      }
    }
    // One a minute for the keys, and one a minute because the last failed: never more than both.
    #expect((10...20).contains(fetches))
  }

  @Test func `without a set it tries again soon, and less and less often`() {
    var schedule = KeySetSchedule()
    var now: Int64 = 0
    var waits: [Int64] = []
    for _ in 0..<9 {
      _ = schedule.start(now: now)
      let outcome = schedule.ended(isGood: false, now: now)
      #expect(outcome == .failed)
      waits.append(schedule.wait(now: now))
      now += schedule.wait(now: now)
    }
    #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
    _ = schedule.start(now: now)
    _ = schedule.ended(isGood: true, now: now)
    #expect(schedule.wait(now: now) == 10 * Self.minute)
  }

  @Test func `the last good set serves a day and no longer`() {
    var schedule = Self.settled()
    let day: Int64 = 86_400_000
    var now = Self.start
    var outcome = KeySetSchedule.Outcome.replaced
    while outcome != .dropped && now < Self.start + 2 * day {
      now += schedule.wait(now: now)
      _ = schedule.start(now: now)
      outcome = schedule.ended(isGood: false, now: now)
      #expect(outcome != .replaced)
    }
    #expect(outcome == .dropped && (day..<day + 2 * Self.minute).contains(now - Self.start))
    // Dropped once; what follows is the search for a new one.
    now += schedule.wait(now: now)
    _ = schedule.start(now: now)
    let next = schedule.ended(isGood: false, now: now)
    #expect(next == .failed)
  }

  @Test func `a set that comes back in time is kept another day`() {
    var schedule = Self.settled()
    let late = Self.start + 86_300_000
    _ = schedule.start(now: late)
    _ = schedule.ended(isGood: true, now: late)
    _ = schedule.start(now: late + 86_300_000)
    let outcome = schedule.ended(isGood: false, now: late + 86_300_000)
    #expect(outcome == .failed)
  }
}
