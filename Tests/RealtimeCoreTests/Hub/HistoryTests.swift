import RealtimeCore
import Testing

@Suite struct HistoryTests {
  private func ask(
    _ hub: HubHarness, _ connection: ConnectionID, limit: Int = 50, before: Int? = nil
  ) -> [HubHarness.Received] {
    hub.forgetTexts()
    hub.tell(.askHistory(connection, RoomName("r")!, limit: limit, before: before, id: Array("h".utf8)))
    return hub.texts(connection)
  }

  private func offsets(_ answer: [HubHarness.Received]) -> [Int]? {
    guard answer.count == 1, answer[0].type == "history", answer[0].id == "h" else { return nil }
    return (answer[0].payload["messages"] as? [[String: Any]])?.compactMap { $0["offset"] as? Int }
  }

  /// Five messages of `ann`; with `isForgotten` only the relay has them.
  private func room(_ hub: HubHarness, isForgotten: Bool = false) -> ConnectionID {
    var ann = hub.member(1, user: "ann")
    for number in 1...5 { hub.send(ann, "m\(number)", id: "c\(number)") }
    if isForgotten {
      hub.tell(.disconnect(ann, .left))
      ann = hub.member(2, user: "ann")
    }
    return ann
  }

  @Test(arguments: [false, true])
  func `the last messages, or those before an offset, in order`(isForgotten: Bool) throws {
    let hub = HubHarness()
    let ann = room(hub, isForgotten: isForgotten)
    #expect(offsets(ask(hub, ann)) == [1, 2, 3, 4, 5])
    #expect(offsets(ask(hub, ann, limit: 2)) == [4, 5])
    #expect(offsets(ask(hub, ann, limit: 2, before: 4)) == [2, 3])
    #expect(offsets(ask(hub, ann, limit: 2, before: 2)) == [1])
    #expect(offsets(ask(hub, ann, before: 1)) == [] && offsets(ask(hub, ann, before: 0)) == [])
    #expect(offsets(ask(hub, ann, limit: 1, before: .max)) == [5])
    #expect((hub.report.counters.pastReads == 0) == !isForgotten)
    let answer = ask(hub, ann)[0]
    #expect(answer.payload["epoch"] as? String == hub.epoch && answer.payload["room_id"] as? String == "r")
    let first = try #require((answer.payload["messages"] as? [[String: Any]])?.first)
    #expect(first["type"] as? String == "new_message" && first["client_id"] as? String == "c1")
    #expect((first["payload"] as? [String: Any])?["content"] as? String == "m1")
  }

  @Test func `only members are told`() {
    let hub = HubHarness()
    _ = room(hub)
    let bob = hub.connect(7, user: "bob")
    #expect(ask(hub, bob).map { $0.payload["code"] as? String } == ["NOT_IN_ROOM"])
  }

  @Test func `a relay that fails is told as such, with a time to try again`() throws {
    let hub = HubHarness()
    let ann = room(hub, isForgotten: true)
    hub.holdsRequests = true
    #expect(ask(hub, ann).isEmpty)
    hub.tell(.reply(hub.held[0].ticket, .failed(.unavailable)))
    let error = try #require(hub.texts(ann).first)
    #expect(error.payload["code"] as? String == "RELAY_UNAVAILABLE" && error.payload["retry_after_ms"] != nil)
    #expect(error.id == "h")
  }

  @Test func `who left meanwhile is told nothing of the room`() {
    let hub = HubHarness()
    let ann = room(hub, isForgotten: true)
    hub.holdsRequests = true
    _ = ask(hub, ann)
    hub.tell(.leave(ann, RoomName("r")!, id: []))
    hub.release()
    #expect(hub.texts(ann, "history").isEmpty)
  }

  @Test func `what is older than the history's time is left out`() {
    let hub = HubHarness { $0.historySeconds = 60 }
    let ann = room(hub)
    hub.advance(61_000)
    hub.send(ann, "m6")
    #expect(offsets(ask(hub, ann)) == [6])
  }

  @Test func `what is more than one answer may hold is left out from the front`() {
    let hub = HubHarness { $0.historyBytes = 500 }
    let ann = room(hub)
    #expect(offsets(ask(hub, ann)) == [4, 5])
    let tiny = HubHarness { $0.historyBytes = 1 }
    #expect(offsets(ask(tiny, room(tiny))) == [5], "one may always go")
  }

  @Test(arguments: [false, true])
  func `a join may ask for the last messages`(isForgotten: Bool) {
    let hub = HubHarness()
    let ann = room(hub, isForgotten: isForgotten)
    let (bob, cy) = (hub.connect(8, user: "bob"), hub.connect(9, user: "cy"))
    hub.join(bob, "r", JoinWish(history: 2))
    hub.join(cy, "r", JoinWish(history: 100))
    hub.send(ann, "m6")
    #expect(hub.contents(bob) == ["m4", "m5", "m6"] && hub.contents(cy) == ["m1", "m2", "m3", "m4", "m5", "m6"])
    #expect(hub.texts(bob)[0].payload["offset"] as? Int == 3 && hub.texts(cy)[0].payload["offset"] as? Int == 0)
    #expect(hub.texts(bob)[0].payload["recovered"] == nil)
  }

  @Test func `a room that never had a message has no history`() {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.join(ann, "r", JoinWish(history: 10))
    #expect(hub.texts(ann).map(\.type) == ["room_info"] && hub.texts(ann)[0].payload["offset"] as? Int == 0)
    #expect(offsets(ask(hub, ann)) == [])
  }
}
