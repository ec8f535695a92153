import RealtimeCore
import Testing

@testable import RedisRelay

struct RelayLinkTests {
  private func connected(at now: Int64) -> RelayLink {
    var link = RelayLink(now: now)
    link.established()
    link.probeSeen()
    #expect(link.tick(now: now) == .connected)
    return link
  }

  @Test func `A start without Redis is degraded after two seconds`() {
    var link = RelayLink(now: 0)
    #expect(link.tick(now: 1_999) == nil)
    #expect(link.deadline == 2_000)
    #expect(link.tick(now: 2_000) == .degraded)
    #expect(link.tick(now: 9_000) == nil)
    link.established()
    #expect(link.tick(now: 9_001) == .recovering)
    link.probeSeen()
    #expect(link.tick(now: 9_002) == .connected)
  }

  @Test func `Short trouble is not told, longer trouble in two steps`() {
    var link = connected(at: 0)
    link.trouble(since: 100)
    #expect(link.tick(now: 1_099) == nil)
    link.established()
    link.probeSeen()
    #expect(link.tick(now: 1_100) == nil)
    link.trouble(since: 2_000)
    #expect(link.tick(now: 3_000) == .suspect)
    #expect(link.deadline == 4_000)
    #expect(link.tick(now: 4_000) == .degraded)
    #expect(link.deadline == nil)
  }

  @Test func `Trouble counts from its beginning, and a suspect can recover at once`() {
    var link = connected(at: 0)
    link.trouble(since: 500)
    link.trouble(since: 900)
    #expect(link.tick(now: 1_500) == .suspect)
    link.established()
    #expect(link.tick(now: 1_600) == nil)
    link.probeSeen()
    #expect(link.tick(now: 1_601) == .connected)
  }

  @Test func `A probe proves nothing while a connection is down, and recovery may fail`() {
    var link = connected(at: 0)
    link.trouble(since: 0)
    link.probeSeen()
    #expect(link.tick(now: 2_000) == .degraded)
    link.established()
    #expect(link.tick(now: 2_100) == .recovering)
    link.trouble(since: 2_200)
    #expect(link.tick(now: 2_200) == .degraded)
  }

  @Test func `Who refuses messages is degraded though probes come back, until messages are accepted`() {
    var link = connected(at: 0)
    link.refusing(since: 500)
    link.probeSeen()
    #expect(link.tick(now: 1_499) == nil)
    #expect(link.tick(now: 1_500) == .suspect)
    link.probeSeen()
    #expect(link.tick(now: 2_500) == .degraded)
    link.established()
    link.probeSeen()
    #expect(link.tick(now: 9_000) == nil && link.state == .degraded)
    link.refusing(since: nil)
    #expect(link.tick(now: 9_001) == .connected)
  }

  @Test func `A probe that was refused is neither back nor overdue`() {
    var liveness = Liveness()
    liveness.start(now: 0)
    #expect(liveness.due(now: 0) == 1)
    #expect(liveness.refused(2) == nil)
    #expect(liveness.refused(1) == 0)
    #expect(liveness.overdueSince(now: 5_000) == nil)
    #expect(liveness.seen(1) == false)
    #expect(liveness.due(now: 1_000) == 2)
  }

  @Test func `One probe at a time, a second apart, overdue after a second`() {
    var liveness = Liveness()
    #expect(liveness.due(now: 5) == nil)
    liveness.start(now: 10)
    #expect(liveness.due(now: 10) == 1)
    #expect(liveness.due(now: 500) == nil)
    #expect(liveness.seen(0) == false)
    #expect(liveness.overdueSince(now: 1_009) == nil)
    #expect(liveness.overdueSince(now: 1_010) == 10)
    #expect(liveness.seen(1) == true)
    #expect(liveness.seen(1) == false)
    #expect(liveness.due(now: 1_010) == 2)
    liveness.stop()
    #expect(liveness.deadline == nil && liveness.overdueSince(now: 9_999) == nil)
    #expect(liveness.seen(2) == false)
  }

  @Test func `Reconnects wait below a bound that doubles to half a second`() {
    var reconnect = Reconnect(seed: 1)
    for bound in [10, 20, 40, 80, 160, 320, 500, 500] as [Int64] { #expect((0...bound).contains(reconnect.delay())) }
    #expect(Set((0..<50).map { _ in reconnect.delay() }).count > 30)
    reconnect.succeed()
    #expect((0...10).contains(reconnect.delay()))
  }
}
