import Testing

@testable import RealtimeCore

/// What one connection may do how often.
@Suite struct ConductTests {
  private let rules = Conduct.Rules(rooms: 2)
  private let room = RoomName("r")!

  /// Comes and goes as often as it may; answers what the first refusal says.
  private func cycle(_ conduct: inout Conduct, _ room: RoomName, now: Int64, most: Int = 50) -> (Int, wait: Int?) {
    for count in 0..<most {
      // Control messages are limited on their own.
      let now = now + Int64(count) * 400
      if let wait = conduct.joins(room, rules: rules, now: now) { return (count, wait) }
      #expect(conduct.leaves(room, rules: rules, now: now) == nil)
    }
    return (most, nil)
  }

  @Test func `the eleventh time into one room within a minute has to wait, and leaving forgets nothing`() {
    var conduct = Conduct()
    // Ten times in 4 s; a token comes every 6 s.
    #expect(cycle(&conduct, room, now: 0) == (10, 2_000))
    #expect(conduct.joins(room, rules: rules, now: 5_999) != nil)
    #expect(conduct.joins(RoomName("other")!, rules: rules, now: 5_999) == nil, "every room has its own")
    #expect(conduct.joins(room, rules: rules, now: 6_000) == nil)
  }

  @Test func `what is known of rooms that were left is bounded and dropped`() {
    var churn = RoomChurn()
    let rate = Rate(burst: 10, perMinute: 10)
    for number in 0..<100_000 {
      churn.left(RoomName("room-\(number)")!, at: Int64(number), rate: rate)
      guard churn.count > RoomChurn.limit else { continue }
      Issue.record("\(churn.count) entries")
      return
    }
    churn.left(room, at: 3_600_000_000_000, rate: rate)
    #expect(churn.count == 1)
  }

  @Test func `with many rooms those that were left most are remembered`() {
    var churn = RoomChurn()
    let rate = Rate(burst: 10, perMinute: 10)
    for _ in 0..<10 { churn.left(room, at: 0, rate: rate) }
    for number in 0..<1_000 { churn.left(RoomName("room-\(number)")!, at: 0, rate: rate) }
    #expect(churn.wait(for: room, at: 0, rate: rate) == 6_000)
  }

  @Test func `a client comes back into all of its rooms at once, and further ones take time`() {
    let rules = Conduct.Rules(rooms: 100)
    var conduct = Conduct()
    for number in 0..<100 { #expect(conduct.joins(RoomName("r\(number)")!, rules: rules, now: 0) == nil) }
    // 60 a minute beside the 120 at once, however fast control messages may come.
    let joined = (0..<600).count { conduct.joins(RoomName("n\($0)")!, rules: rules, now: Int64($0) * 200) == nil }
    #expect((130...145).contains(joined))
  }

  @Test func `ten questions at once and five a second, whatever they are`() {
    var conduct = Conduct()
    for _ in 0..<10 { #expect(conduct.asks(rules: rules, now: 0) == nil) }
    #expect(conduct.asks(rules: rules, now: 0) == 200)
    #expect(conduct.asks(rules: rules, now: 200) == nil)
  }

  @Test func `asking about rooms one is not in makes rooms, and is limited like joining them`() {
    var conduct = Conduct()
    let asked = (0..<200).count { conduct.opensRoom(rules: rules, now: Int64($0) * 200) == nil }
    #expect((55...65).contains(asked), "22 at once and one a second, over 40 s")
  }

  @Test func `control frames have fifty at once and ten a second`() {
    var conduct = Conduct()
    #expect((0..<100).count { _ in conduct.mayControl(rules: rules, now: 0) } == 50)
    #expect((1...100).count { conduct.mayControl(rules: rules, now: Int64($0) * 50) } == 50)
  }

  @Test func `mistakes are not for free, and who makes them on and on is closed`() {
    var conduct = Conduct()
    let told = (0..<100).map { _ in conduct.isRefused(.notInRoom, rules: rules, now: 0) }
    // 2 rooms and 20: so many at once, then three times as many refusals of another kind.
    #expect(told.prefix(22).allSatisfy { $0 == .notInRoom })
    #expect(told[22..<88].allSatisfy { $0 == .rateLimited(retryAfterMilliseconds: 200) })
    #expect(told[88] == nil)
  }

  @Test func `all that is refused for its rate counts together`() {
    var conduct = Conduct()
    var isClosed = false
    for step in 0..<200 where !isClosed {
      let wait =
        step % 2 == 0
        ? conduct.asks(rules: rules, now: 0) : conduct.controls(rules: rules, now: 0)
      guard let wait else { continue }
      isClosed = conduct.isRefused(.rateLimited(retryAfterMilliseconds: wait), rules: rules, now: 0) == nil
    }
    #expect(isClosed)
  }

  @Test func `who waits as told is never closed`() {
    var conduct = Conduct()
    var now: Int64 = 0
    for number in 0..<2_000 {
      let wait =
        number % 3 == 0
        ? conduct.opensRoom(rules: rules, now: now) : conduct.joins(room, rules: rules, now: now)
      guard let wait else { continue }
      #expect(conduct.isRefused(.rateLimited(retryAfterMilliseconds: wait), rules: rules, now: now) != nil)
      now += Int64(wait)
    }
  }

  /// Every connection has one.
  @Test func `it is small`() {
    #expect(MemoryLayout<Conduct>.size <= 80)
  }
}
