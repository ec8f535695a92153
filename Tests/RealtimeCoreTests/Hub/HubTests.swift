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
    let numbers = OnlineNumbers(connections: 3, users: 2, nodes: 1)
    #expect(hub.online == [OnlineAnswer(numbers, isClusterWide: true)])
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
    // Its own id named no message that anybody has.
    #expect(again.payload["message_id"] == nil)
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
    #expect(hub.closed[laptop] == .rateLimitIgnored)
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

  /// A node that has just come is not among the known ones, one that is cut off was not handed the frame, and
  /// somebody who only listens never answers.
  @Test(arguments: [
    PrivateCase(known: 1, receivers: 2, answers: 1, isPartial: false, isAtOnce: true),
    PrivateCase(known: 1, receivers: 3, answers: 1, isPartial: false, isAtOnce: false),
    PrivateCase(known: 2, receivers: 2, answers: 0, isPartial: true, isAtOnce: false),
    PrivateCase(known: 2, receivers: 1, answers: 0, isPartial: true, isAtOnce: false),
  ])
  func `a private message waits for nodes, not for listeners`(given: PrivateCase) throws {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.holdsRequests = true
    hub.advance(2_100)
    for (request, ticket) in hub.held {
      guard case .heartbeat = request else { continue }
      hub.tell(.reply(ticket, .alive(nodes: (0..<given.known).map { NodeStanding("node-\($0)") }, expired: [])))
    }
    hub.held.removeAll()
    hub.tell(.sendPrivate(ann, recipient: "bob", HubHarness.text("psst", id: "p")))
    let (request, ticket) = try #require(hub.held.first)
    guard case .broadcast(let frame) = request else {
      Issue.record("\(request)")
      return
    }
    hub.tell(.frame(frame))
    hub.tell(.reply(ticket, .sent(receivers: given.receivers)))
    for _ in 0..<given.answers { hub.tell(.directed(Array("reached 1 1 local".utf8))) }
    #expect(hub.texts(ann, "ack").count == (given.isAtOnce ? 1 : 0))
    hub.advance(500)
    let ack = try #require(hub.texts(ann, "ack").first)
    #expect(ack.payload["recipients"] as? Int == given.answers)
    #expect((ack.payload["partial"] != nil) == given.isPartial)
  }

  struct PrivateCase {
    let known: Int
    let receivers: Int
    let answers: Int
    let isPartial: Bool
    let isAtOnce: Bool
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

@Suite struct HubTypingTests {
  /// Rule 14: however often a client says so, other nodes hear of it every three seconds.
  @Test func `typing is repeated to other nodes every three seconds at most`() {
    let hub = HubHarness()
    let (phone, laptop) = (hub.member(1, user: "ann"), hub.member(2, user: "ann"))
    hub.advance(1_000)
    hub.holdsRequests = true
    func frames() -> Int { hub.held.count { if case .tell = $0.request { true } else { false } } }
    for _ in 0..<30 {
      hub.tell(.typing(phone, RoomName("r")!, isTyping: true))
      hub.tell(.typing(laptop, RoomName("r")!, isTyping: true))
      hub.advance(99)
    }
    #expect(frames() == 1)
    hub.advance(30)
    hub.tell(.typing(laptop, RoomName("r")!, isTyping: true))
    #expect(frames() == 2)
    hub.tell(.disconnect(phone, .lost))
    #expect(frames() == 2)
    hub.tell(.disconnect(laptop, .lost))
    #expect(frames() == 3, "it ends with the last connection")
  }
}

@Suite struct HubRelayTests {
  /// A new generation of the relay: its memory is empty, and members must hear that their positions are void.
  @Test func `a relay that lost everything is announced at once and presence comes back silently`() throws {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let bob = hub.member(2, user: "bob")
    hub.send(ann, "before")
    hub.forgetTexts()
    hub.replaceRelay()
    hub.advance(1_000)
    for member in [ann, bob] {
      let resync = try #require(hub.texts(member, "resync").first)
      #expect(resync.payload["reason"] as? String == "epoch_changed" && resync.payload["offset"] as? Int == 0)
    }
    #expect(hub.texts(ann).count == 1 && hub.texts(bob).count == 1, "nobody left, nobody came")
    hub.send(ann, "after", id: "a")
    #expect(hub.texts(bob, "new_message").first?.offset == 1 && hub.texts(ann, "ack").first?.offset == 1)
    hub.tell(.askOnline(ann))
    #expect(hub.online.last?.numbers == OnlineNumbers(connections: 2, users: 2, nodes: 1))
    #expect(hub.online.last?.isClusterWide == true)
  }

  /// A message stored before the change, sent again by our own retry after it: delivered once.
  @Test func `a retry across a change of epoch is not shown twice`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let bob = hub.member(2, user: "bob")
    hub.holdsRequests = true
    hub.send(ann, "hi", id: "m")
    let lost = hub.held[0]
    let copy = hub.storedFrame(of: lost.request, epoch: hub.epoch, offset: 1)
    hub.tell(.frame(copy))
    hub.held.removeAll()
    hub.holdsRequests = false
    hub.replaceRelay()
    hub.tell(.reply(lost.ticket, .failed(.outcomeUnknown)))
    hub.advance(1_000)
    #expect(hub.texts(bob, "new_message").count == 1 && hub.texts(ann, "ack").count == 1)
  }

  @Test func `a lost lease means a new incarnation that makes everybody known again`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    hub.advance(2_100)
    for (request, ticket) in hub.held {
      if case .heartbeat = request { hub.tell(.reply(ticket, .fenced)) }
    }
    let names = hub.held.compactMap { held -> String? in
      if case .register(let incarnation, let old, _) = held.request { "\(old ?? "-") → \(incarnation)" } else { nil }
    }
    #expect(names == ["n1-abcdef:0 → n1-abcdef:1"])
    hub.held.removeAll { if case .register = $0.request { false } else { true } }
    hub.release()
    let changes = hub.held.flatMap { held -> [PresenceChange] in
      if case .changePresence("n1-abcdef:1", let changes) = held.request { changes } else { [] }
    }
    #expect(changes.map(\.room?.text) == [nil, "r"] && changes.allSatisfy { $0.isJoin && $0.isAnnounced })
    _ = ann
  }

  @Test func `what other programs publish reaches members, unnumbered; presence from them does not`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.tell(.frame(Array(#"{"type":"new_message","room":"r","payload":{"content":"hi"}}"#.utf8)))
    hub.tell(.frame(Array(#"{"type":"user_left","room":"r","payload":{},"sender":{"id":"ann"}}"#.utf8)))
    hub.tell(
      .frame(Array(#"{"type":"new_message","room":"r","payload":1,"token":"guessed","epoch":"e","offset":9}"#.utf8)))
    hub.tell(.frame(Array("garbage".utf8)))
    #expect(hub.texts(ann).map(\.type) == ["new_message"] && hub.texts(ann)[0].offset == nil)
    #expect(hub.counters.badFrames == 3 && hub.counters.foreignFrames == 1)
  }

  @Test func `reaping goes on slice by slice until it is done`() {
    let hub = HubHarness()
    hub.holdsRequests = true
    hub.advance(2_100)
    let heartbeat = hub.held.first { if case .heartbeat = $0.request { true } else { false } }!
    hub.held.removeAll()
    hub.tell(.reply(heartbeat.ticket, .alive(nodes: [NodeStanding("a")], expired: ["dead:0"])))
    for isDone in [false, false, true] {
      let (request, ticket) = hub.held.removeFirst()
      guard case .reap("dead:0") = request else { Issue.record("\(request)"); return }
      hub.tell(.reply(ticket, .reaped(isDone: isDone)))
    }
    #expect(hub.held.isEmpty && hub.counters.reaped == 1)
  }
}

@Suite struct HubDeadlineTests {
  /// Rule 17: joins while the relay is away wait five seconds, then their clients are told, each in his time.
  @Test func `a join that gets no answer is given up after five seconds`() {
    let hub = HubHarness()
    let (ann, bob) = (hub.connect(1, user: "ann"), hub.connect(2, user: "bob"))
    hub.holdsRequests = true
    hub.join(ann, "r")
    hub.advance(3_000)
    hub.join(bob, "r")
    hub.send(ann, "early", id: "e")
    hub.advance(2_500)
    let codes = hub.texts(ann).map { $0.payload["code"] as? String }
    #expect(codes == ["RELAY_UNAVAILABLE", "RELAY_UNAVAILABLE"] && hub.texts(bob).isEmpty)
    hub.advance(3_000)
    #expect(hub.texts(bob).count == 1)
    hub.holdsRequests = false
    for (_, ticket) in hub.held { hub.tell(.reply(ticket, .failed(.outcomeUnknown))) }
    hub.advance(200)
    hub.join(ann, "other")
    #expect(hub.texts(ann, "room_info").count == 1)
  }
}
