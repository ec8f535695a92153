import RealtimeCore
import Testing

/// Acks whose turn in the room's order does not come as usual.
@Suite struct AckTests {
  @Test func `a resync that goes over a stored message is followed by its ack`() {
    let hub = HubHarness(history: 2)
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    hub.send(ann, "mine", id: "m")
    for other in ["1", "2", "3", "4"] { hub.publishElsewhere(other) }  // their frames are lost
    hub.release()
    #expect(hub.texts(ann).isEmpty, "offset 5 must wait for what is below")
    hub.publishElsewhere("6")
    hub.publishElsewhere("7")
    hub.advance(60)
    hub.releaseAll()
    #expect(hub.texts(ann).map(\.type) == ["resync", "ack"])
    #expect(hub.texts(ann).map { $0.payload["offset"] as? Int ?? $0.offset } == [7, 5])
    #expect(hub.texts(ann, "ack").first?.id == "m")
  }

  @Test func `who left before the order came to a message is told where it is`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    hub.send(ann, "mine", id: "m")
    hub.publishElsewhere("1")
    hub.release()
    #expect(hub.texts(ann).isEmpty)
    hub.tell(.leave(ann, RoomName("r")!, id: Array("l".utf8)))
    #expect(hub.texts(ann, "ack").map(\.id) == ["m", "l"])
  }

  @Test func `who left and is on the way back in gets the ack of what was sent before`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    hub.send(ann, "mine", id: "m")
    hub.tell(.leave(ann, RoomName("r")!, id: []))
    hub.join(ann, "r")
    hub.forgetTexts()
    hub.release()
    #expect(hub.texts(ann, "ack").map(\.id) == ["m"])
    #expect(hub.texts(ann, "room_info").isEmpty)
  }

  @Test func `what a client sends again after a change of epoch is shown once, and acknowledged`() {
    let hub = HubHarness()
    let (ann, bob) = (hub.member(1, user: "ann"), hub.member(2, user: "bob"))
    hub.send(ann, "hi", id: "m")
    hub.replaceRelay()
    hub.advance(1_000)
    hub.send(ann, "hi", id: "m")
    #expect(hub.contents(bob) == ["hi"])
    #expect(hub.texts(ann, "ack").map(\.offset) == [1, 1])
    hub.send(ann, "ho", id: "n")
    #expect(hub.contents(bob) == ["hi", "ho"])
  }

  @Test func `a repeat after a change of epoch is shown when somebody came who has not seen it`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.send(ann, "hi", id: "m")
    hub.replaceRelay()
    hub.advance(1_000)
    let bob = hub.member(2, user: "bob")
    hub.send(ann, "hi", id: "m")
    #expect(hub.contents(bob) == ["hi"])
  }
}
