import RealtimeCore
import Testing

@Suite struct HubRoomTests {
  @Test func `a joiner is told who is there, himself included, and where the room stands`() throws {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.join(ann, "r")
    let info = try #require(hub.texts(ann, "room_info").first)
    let users = try #require(info.payload["users"] as? [[String: Any]])
    #expect(users.compactMap { $0["id"] as? String } == ["ann"])
    #expect(info.payload["offset"] as? Int == 0 && info.payload["count"] as? Int == 1)
  }

  @Test func `others hear of a user once, with his first and last connection`() {
    let hub = HubHarness()
    let bob = hub.member(9, user: "bob")
    let phone = hub.connect(1, user: "ann")
    let laptop = hub.connect(2, user: "ann")
    hub.join(phone, "r")
    hub.join(laptop, "r")
    #expect(hub.texts(bob, "user_joined").count == 1)
    #expect(hub.texts(phone, "user_joined").isEmpty)
    hub.tell(.leave(phone, RoomName("r")!, id: []))
    #expect(hub.texts(bob, "user_left").isEmpty)
    hub.tell(.leave(laptop, RoomName("r")!, id: []))
    #expect(hub.texts(bob, "user_left").count == 1)
  }

  @Test func `joining twice is no error and is announced once`() {
    let hub = HubHarness()
    let bob = hub.member(9, user: "bob")
    let ann = hub.connect(1, user: "ann")
    hub.join(ann, "r")
    hub.join(ann, "r")
    #expect(hub.texts(ann, "room_info").count == 2)
    hub.send(bob, "hi")
    #expect(hub.texts(ann, "new_message").count == 1)
    #expect(hub.texts(bob, "user_joined").count == 1)
  }

  @Test func `a lost socket that comes back within the grace is no leave`() {
    let hub = HubHarness()
    let bob = hub.member(9, user: "bob")
    let ann = hub.member(1, user: "ann")
    hub.tell(.disconnect(ann, .lost))
    hub.advance(1_900)
    let again = hub.connect(2, user: "ann")
    hub.join(again, "r")
    hub.advance(10_000)
    #expect(hub.texts(bob, "user_left").isEmpty && hub.texts(bob, "user_joined").isEmpty)
    hub.tell(.disconnect(again, .lost))
    hub.advance(1_900)
    #expect(hub.texts(bob, "user_left").isEmpty)
    hub.advance(200)
    #expect(hub.texts(bob, "user_left").count == 1)
  }

  @Test func `leaving a room one is not in is told`() {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.tell(.leave(ann, RoomName("r")!, id: Array("7".utf8)))
    let error = hub.texts(ann, "error").first
    #expect(error?.payload["code"] as? String == "NOT_IN_ROOM" && error?.id == "7")
  }

  @Test func `a room that nobody needs is forgotten`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    #expect(hub.roomCount == 1)
    hub.tell(.leave(ann, RoomName("r")!, id: []))
    #expect(hub.roomCount == 0)
  }

  @Test func `the twenty-first connection of a user is refused`() {
    let hub = HubHarness()
    for slot in 0..<20 as Range<UInt32> { hub.connect(slot, user: "ann") }
    let last = hub.connect(20, user: "ann")
    #expect(hub.refused[last] == .tooManyConnections && hub.admitted.count == 20)
  }

  @Test func `online counts connections and users`() {
    let hub = HubHarness()
    hub.connect(1, user: "ann")
    hub.connect(2, user: "ann")
    let asker = hub.connect(3, user: "bob")
    hub.advance(200)
    hub.tell(.askOnline(asker))
    #expect(hub.online == [OnlineAnswer(connections: 3, users: 2, nodes: 1, isClusterWide: true)])
  }
}

@Suite struct HubMessageTests {
  @Test func `all others get a message, the sending connection an ack in its place`() throws {
    let hub = HubHarness()
    let phone = hub.member(1, user: "ann")
    let laptop = hub.member(2, user: "ann")
    let bob = hub.member(3, user: "bob")
    hub.send(phone, "hi", id: "m1")
    let ack = try #require(hub.texts(phone).first)
    #expect(hub.texts(phone).count == 1 && ack.type == "ack" && ack.id == "m1" && ack.offset == 1)
    let copy = try #require(hub.texts(laptop, "new_message").first)
    #expect(copy.json["client_id"] as? String == "m1" && copy.offset == 1)
    let message = try #require(hub.texts(bob, "new_message").first)
    #expect(message.json["client_id"] == nil && message.payload["content"] as? String == "hi")
    #expect(message.id == ack.payload["message_id"] as? String)
    #expect(message.raw.contains(#""payload":{"content":"hi"}"#))
  }

  @Test func `what is said while joining is published after the joining`() {
    let hub = HubHarness()
    let bob = hub.member(9, user: "bob")
    hub.holdsRequests = true
    let ann = hub.connect(1, user: "ann")
    hub.join(ann, "r")
    hub.send(ann, "early", id: "e")
    while !hub.held.isEmpty { hub.release() }
    #expect(hub.texts(ann).map(\.type) == ["room_info", "ack"])
    #expect(hub.texts(bob, "new_message").count == 1)
  }

  @Test func `the same id again is stored once`() throws {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let bob = hub.member(2, user: "bob")
    hub.send(ann, "hi", id: "m1")
    hub.send(ann, "hi", id: "m1")
    #expect(hub.texts(bob, "new_message").count == 1)
    let again = try #require(hub.texts(ann, "ack").last)
    #expect(again.payload["dup"] as? Bool == true && again.offset == 1)
  }

  @Test func `one user's rate holds over all his connections, and who ignores it is closed`() {
    let hub = HubHarness { $0.rate = Rate(burst: 10, perSecond: 1) }
    let phone = hub.member(1, user: "ann")
    let laptop = hub.member(2, user: "ann")
    for _ in 0..<6 { hub.send(phone, "x") }
    for _ in 0..<6 { hub.send(laptop, "x") }
    #expect(
      hub.texts(laptop, "error").compactMap { $0.payload["code"] as? String } == ["RATE_LIMITED", "RATE_LIMITED"])
    for _ in 0..<40 { hub.send(laptop, "x") }
    #expect(hub.closed[laptop] == 4029)
  }

  @Test func `who is no member may not send`() {
    let hub = HubHarness()
    _ = hub.member(1, user: "ann")
    let bob = hub.connect(2, user: "bob")
    hub.send(bob, "hi", id: "x")
    #expect(hub.texts(bob, "error").first?.payload["code"] as? String == "NOT_IN_ROOM")
  }

  /// The relay is away: nothing is acknowledged, and after five seconds the sender is told that nobody knows.
  @Test func `an outcome that stays unknown is told as such`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    hub.send(ann, "hi", id: "m1")
    for _ in 0..<60 {
      for (_, ticket) in hub.held { hub.tell(.reply(ticket, .failed(.outcomeUnknown))) }
      hub.held.removeAll()
      hub.advance(100)
    }
    let codes = hub.texts(ann).map { $0.payload["code"] as? String }
    #expect(codes == ["RELAY_UNAVAILABLE"])
  }

  /// The first try ran although its answer was lost; the retry finds a duplicate. One message, one true ack.
  @Test func `a try that ran unseen is acknowledged once, in its place`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let bob = hub.member(2, user: "bob")
    hub.holdsRequests = true
    hub.send(ann, "hi", id: "m1")
    let lost = hub.held[0]
    hub.release()  // it ran …
    #expect(hub.texts(ann, "ack").count == 1)
    hub.tell(.reply(lost.ticket, .failed(.outcomeUnknown)))  // … and a late failure changes nothing
    hub.advance(500)
    #expect(hub.texts(ann, "ack").count == 1 && hub.texts(bob, "new_message").count == 1)
  }

  @Test func `private messages reach all connections of a user`() throws {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    let phone = hub.connect(2, user: "42")
    let laptop = hub.connect(3, user: "42")
    hub.tell(.sendPrivate(ann, recipient: "42", HubHarness.text("psst", id: "p")))
    for connection in [phone, laptop] {
      #expect(try #require(hub.texts(connection, "private").first).payload["content"] as? String == "psst")
    }
    let ack = try #require(hub.texts(ann, "ack").first)
    #expect(ack.payload["recipients"] as? Int == 2 && ack.payload["partial"] == nil)
  }

  @Test func `typing is told once, ends by itself, and not to the typist`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let bob = hub.member(2, user: "bob")
    hub.tell(.typing(ann, RoomName("r")!, isTyping: true))
    hub.advance(3_500)
    hub.tell(.typing(ann, RoomName("r")!, isTyping: true))
    #expect(hub.texts(bob).map(\.type) == ["user_typing"])
    hub.advance(7_000)
    #expect(hub.texts(bob).map(\.type) == ["user_typing", "user_stopped_typing"])
    #expect(hub.texts(ann).isEmpty)
  }
}
