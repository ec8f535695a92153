import RealtimeCore
import RoostTesting
import Testing

private let second: Int64 = 1_000_000_000

@Suite struct TokenBucketTests {
  @Test func `a full bucket gives its burst and then one per interval`() {
    let rate = Rate(burst: 3, perSecond: 2)
    var bucket = TokenBucket()
    for _ in 0..<3 { #expect(bucket.take(at: 0, rate: rate) == .allowed) }
    #expect(bucket.take(at: 0, rate: rate) == .refused(retryAfterMilliseconds: 500))
    #expect(bucket.take(at: second / 2 - 1, rate: rate) == .refused(retryAfterMilliseconds: 1))
    #expect(bucket.take(at: second / 2, rate: rate) == .allowed)
    #expect(bucket.take(at: second / 2, rate: rate) == .refused(retryAfterMilliseconds: 500))
  }

  @Test func `fractions are kept however often one asks`() {
    let rate = Rate(burst: 1, perSecond: 1)
    var bucket = TokenBucket()
    var allowed = 0
    for step in 0..<10_000 as Range<Int64> where bucket.take(at: step * second / 1_000, rate: rate) == .allowed {
      allowed += 1
    }
    #expect(allowed == 10)
  }

  @Test func `a clock that steps back costs one filling at most`() {
    let rate = Rate(burst: 5, perSecond: 1)
    var bucket = TokenBucket()
    #expect(bucket.take(at: 1_000_000 * second, rate: rate) == .allowed)
    #expect(bucket.take(at: 0, rate: rate) == .refused(retryAfterMilliseconds: 1_000))
    #expect(bucket.take(at: second, rate: rate) == .refused(retryAfterMilliseconds: 1_000))
  }

  @Test func `a bucket is full again after its filling time`() {
    let rate = Rate(burst: 2, perSecond: 1)
    var bucket = TokenBucket()
    #expect(bucket.isFull(at: 0))
    _ = bucket.take(at: 0, rate: rate)
    _ = bucket.take(at: 0, rate: rate)
    #expect(!bucket.isFull(at: 2 * second - 1) && bucket.isFull(at: 2 * second))
  }

  /// Against the textbook bucket, which counts tokens in units of a nanosecond's refill.
  @Test(arguments: 0..<50 as Range<UInt64>)
  func `agrees with a bucket that counts`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let rate = Rate(
      burst: .random(in: 1...20, using: &generator), nanosecondsPerToken: .random(in: 1...3_000, using: &generator))
    var bucket = TokenBucket()
    var now: Int64 = 0
    var held = Int64(rate.burst) * rate.interval
    for _ in 0..<500 {
      let passed = Int64.random(in: 0...2 * rate.interval, using: &generator)
      now += passed
      held = min(held + passed, Int64(rate.burst) * rate.interval)
      let isAllowed = held >= rate.interval
      if isAllowed { held -= rate.interval }
      let answer = bucket.take(at: now, rate: rate)
      #expect((answer == .allowed) == isAllowed)
    }
  }

  @Test func `the limits are small`() {
    #expect(MemoryLayout<TokenBucket>.size <= 16)
    #expect(MemoryLayout<UserRate>.size <= 16)
    #expect(MemoryLayout<Heartbeat>.size <= 16)
    #expect(MemoryLayout<OffenceCounter>.size <= 16)
  }
}

@Suite struct UserRateTests {
  @Test func `a flood is refused for three bursts and then closed`() {
    var rate = UserRate()
    for _ in 0..<10 { #expect(rate.message(at: 0) == .allowed) }
    for _ in 0..<30 { #expect(rate.message(at: 0) == .refused(retryAfterMilliseconds: 1_000)) }
    #expect(rate.message(at: 0) == .close)
  }

  @Test func `who sends twenty a second is closed within two seconds of the burst`() {
    var rate = UserRate()
    var step: Int64 = 0
    while step < 200, rate.message(at: step * second / 20) != .close { step += 1 }
    #expect((40...60).contains(step))
  }

  @Test func `who waits as told is never closed`() {
    var rate = UserRate()
    var now: Int64 = 0
    for _ in 0..<1_000 {
      switch rate.message(at: now) {
      case .allowed: break
      case .refused(let wait): now += Int64(wait) * 1_000_000
      case .close: Issue.record("closed at \(now)")
      }
    }
  }

  @Test func `is forgotten once both buckets are full`() {
    var rate = UserRate()
    for _ in 0..<15 { _ = rate.message(at: 0) }
    #expect(!rate.isIdle(at: 9 * second) && rate.isIdle(at: 10 * second))
  }
}
