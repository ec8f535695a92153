import Testing

@testable import RealtimeCore

/// What a hub counts for its operator.
@Suite("Hub: counters")
struct HubCounterTests {
  @Test func `durations fall into the first class that holds them`() {
    var counts = DurationCounts()
    for duration in [-5, 0, 100_000, 100_001, 250_000, 10_000_000_000, 10_000_000_001] as [Int64] {
      counts.observe(nanoseconds: duration)
    }
    #expect(counts.total == 7 && counts.counts[0] == 3 && counts.counts[1] == 2)
    #expect(counts.counts[15] == 1 && counts.counts[16] == 1)
    #expect(counts.sum == 100_000 + 100_001 + 250_000 + 10_000_000_000 + 10_000_000_001)
    var other = counts
    #expect(other == counts)
    other.observe(nanoseconds: 1)
    #expect(other != counts)
  }

  @Test func `time until a message is stored is counted once, by its answer`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    hub.send(ann, "one")
    hub.send(ann, "two")
    hub.now = Now(nanoseconds: hub.now.nanoseconds + 3_200_000, wall: hub.now.wall + 3)
    hub.releaseAll()
    let latency = hub.counters.relayLatency
    #expect(latency.total == 2 && latency.sum == 2 * 3_200_000 && latency.counts[5] == 2)
  }

  @Test func `a copy that comes before the answer is what counts, and the answer does not again`() throws {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let epoch = hub.epoch
    hub.holdsRequests = true
    hub.send(ann, "one")
    let publish = try #require(hub.held.first).request
    hub.now = Now(nanoseconds: hub.now.nanoseconds + 700_000, wall: hub.now.wall)
    hub.tell(.frame(hub.storedFrame(of: publish, epoch: epoch, offset: 1)))
    #expect(hub.counters.relayLatency.total == 1 && hub.counters.relayLatency.sum == 700_000)
    hub.now = Now(nanoseconds: hub.now.nanoseconds + 900_000_000, wall: hub.now.wall + 900)
    hub.releaseAll()
    #expect(hub.counters.relayLatency.total == 1)
  }

  @Test func `members are counted once for each room and user`() {
    let hub = HubHarness()
    let (ann, again, bob) = (hub.connect(1, user: "ann"), hub.connect(2, user: "ann"), hub.connect(3, user: "bob"))
    for connection in [ann, again, bob] { hub.join(connection, "r") }
    hub.join(ann, "s")
    #expect(hub.report.members == 3 && hub.report.users == 2 && hub.report.rooms == 2)
    hub.tell(.disconnect(ann, .left))
    #expect(hub.report.members == 2)
    hub.tell(.leave(bob, RoomName("r")!, id: []))
    hub.tell(.disconnect(again, .lost))
    #expect(hub.report.members == 0)
  }

  @Test func `what a question brings is a filled gap`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.send(ann, "mine")
    hub.publishElsewhere("unheard")
    #expect(hub.counters.gapsFilled == 0)
    hub.tell(.resubscribed)
    hub.advance(1_000)
    #expect(hub.counters.gapsFilled == 1 && hub.counters.gapReads > 0 && hub.counters.resyncs.isEmpty)
    #expect(hub.contents(ann) == ["unheard"])
    hub.tell(.resubscribed)
    hub.advance(1_000)
    #expect(hub.counters.gapsFilled == 1, "nothing was missed")
  }

  @Test func `losses are counted by what clients are told`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.send(ann, "one")
    hub.replaceRelay()
    hub.publishElsewhere("of another epoch")
    hub.tell(.resubscribed)
    hub.advance(1_000)
    #expect(hub.counters.resyncs == [.epochChanged: 1])
    #expect(hub.texts(ann, "resync").map { $0.payload["reason"] as? String } == [ResyncCause.epochChanged.rawValue])
  }
}
