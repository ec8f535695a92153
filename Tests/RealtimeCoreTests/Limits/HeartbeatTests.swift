import RealtimeCore
import RoostTesting
import Testing

@Suite struct HeartbeatTests {
  let patience = Heartbeat.Patience()

  @Test func `a silent peer is asked once and then given up`() {
    var heartbeat = Heartbeat(now: 100)
    #expect(heartbeat.tick(now: 100, patience: patience) == .wait(until: 154))
    #expect(heartbeat.tick(now: 154, patience: patience) == .sendPing(thenWaitUntil: 160))
    #expect(heartbeat.tick(now: 159, patience: patience) == .wait(until: 160))
    #expect(heartbeat.tick(now: 160, patience: patience) == .giveUp)
  }

  @Test func `anything heard counts as life`() {
    var heartbeat = Heartbeat(now: 0)
    #expect(heartbeat.tick(now: 54, patience: patience) == .sendPing(thenWaitUntil: 60))
    heartbeat.heard(now: 57)
    #expect(heartbeat.tick(now: 60, patience: patience) == .wait(until: 111))
  }

  @Test func `a late tick leaves the peer its time to answer`() {
    var heartbeat = Heartbeat(now: 0)
    #expect(heartbeat.tick(now: 500, patience: patience) == .sendPing(thenWaitUntil: 506))
    #expect(heartbeat.tick(now: 505, patience: patience) == .wait(until: 506))
    #expect(heartbeat.tick(now: 506, patience: patience) == .giveUp)
  }
}

@Suite struct OffenceCounterTests {
  @Test func `the tenth in a minute is one too many`() {
    var counter = OffenceCounter()
    for second in 0..<9 { #expect(counter.record(now: Int32(second)) == false) }
    #expect(counter.record(now: 59) == true)
  }

  @Test func `ten in sixty one seconds are not`() {
    var counter = OffenceCounter()
    for _ in 0..<9 { _ = counter.record(now: 0) }
    #expect(counter.record(now: 60) == false)
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `agrees with a list of all offences`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var counter = OffenceCounter()
    var all: [Int32] = []
    var now: Int32 = .random(in: 0...100_000, using: &generator)
    for _ in 0..<300 {
      now += .random(in: 0...12, using: &generator)
      all.append(now)
      #expect(counter.record(now: now) == (all.count { now - $0 < 60 } >= 10))
    }
  }
}
