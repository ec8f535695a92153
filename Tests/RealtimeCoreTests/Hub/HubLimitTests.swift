import Testing

@testable import RealtimeCore

/// What the hub lets a user do how often, over all his connections and over his comings and goings.
@Suite struct HubLimitTests {
  private func codes(_ hub: HubHarness, _ connection: ConnectionID) -> [String] {
    hub.texts(connection, "error").compactMap { $0.payload["code"] as? String }
  }

  @Test func `leaving and coming back does not fill the bucket`() {
    let hub = HubHarness { $0.rate = Rate(burst: 10, perSecond: 1) }
    let first = hub.member(1, user: "ann")
    for _ in 0..<10 { hub.send(first, "x") }
    hub.tell(.disconnect(first, .left))
    let second = hub.member(2, user: "ann")
    hub.send(second, "x")
    #expect(codes(hub, second) == ["RATE_LIMITED"])
    let other = hub.member(3, user: "bob")
    hub.send(other, "x")
    #expect(codes(hub, other).isEmpty)
  }

  @Test func `who was away for as long as the bucket takes to fill is forgotten, and costs no more turns`() {
    let hub = HubHarness { $0.rate = Rate(burst: 10, perSecond: 1) }
    let ann = hub.member(1, user: "ann")
    for _ in 0..<10 { hub.send(ann, "x") }
    hub.tell(.disconnect(ann, .left))
    #expect(hub.rememberedRates == 1)
    hub.advance(70_000)
    #expect(hub.rememberedRates == 0)
    let quiet = hub.member(2, user: "bob")
    hub.tell(.disconnect(quiet, .left))
    #expect(hub.rememberedRates == 0, "who said nothing leaves nothing to remember")
  }

  @Test func `asking for the past on and on counts as going on regardless`() {
    let hub = HubHarness {
      $0.rate = Rate(burst: 10, perSecond: 1)
      $0.replayBytes = 1
    }
    let ann = hub.member(1, user: "ann")
    for number in 1...3 { hub.send(ann, "m\(number)") }
    let since = JoinWish(since: Position(epoch: hub.epoch, offset: 1))
    for _ in 1...36 { hub.join(ann, "r", since) }
    #expect(hub.closed[ann] == .rateLimitIgnored)
  }

  /// A hundred connections that ask for half a megabyte each, in one turn.
  @Test func `the answers of one turn are bounded, and who got none is told when to ask again`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let words = String(repeating: "x", count: 4_000)
    for _ in 0..<100 { hub.send(ann, words) }
    hub.forgetTexts()
    let question = HubCommand.askHistory(ann, RoomName("r")!, limit: 100, before: nil, id: [])
    hub.tell(Array(repeating: question, count: 100))
    let bytes = hub.texts(ann, "history").reduce(0) { $0 + $1.raw.utf8.count }
    #expect((Hub.historyBytesPerTurn...Hub.historyBytesPerTurn + 1 << 20).contains(bytes))
    #expect(hub.texts(ann, "history").count + codes(hub, ann).count == 100)
    #expect(Set(codes(hub, ann)) == ["RATE_LIMITED"])
    hub.forgetTexts()
    hub.tell(question)
    #expect(hub.texts(ann, "history").count == 1, "the next turn has room again")
  }

  @Test func `errors are counted by code`() {
    let hub = HubHarness { $0.rate = Rate(burst: 1, perSecond: 1) }
    let ann = hub.member(1, user: "ann")
    hub.send(ann, "x")
    hub.send(ann, "x")
    hub.send(ann, "x", room: "other")
    #expect(hub.counters.errors == [.rateLimited: 1, .notInRoom: 1])
  }
}
