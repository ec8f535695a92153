import RealtimeCore
import Testing

@Suite struct RecoveryTests {
  /// `ann` stays, `bob` was there up to `offset` 2 of 5.
  private func room(_ hub: HubHarness) -> (ann: ConnectionID, since: Position) {
    let ann = hub.member(1, user: "ann")
    for number in 1...5 { hub.send(ann, "m\(number)", id: "c\(number)") }
    hub.forgetTexts()
    return (ann, Position(epoch: hub.epoch, offset: 2))
  }

  /// Everybody left: the node remembers nothing, the relay does.
  private func leftRoom(_ hub: HubHarness) -> Position {
    let (ann, since) = room(hub)
    hub.tell(.disconnect(ann, .left))
    hub.forgetTexts()
    return since
  }

  private func offsets(_ hub: HubHarness, _ connection: ConnectionID) -> [Int?] {
    hub.texts(connection, "new_message").map(\.offset)
  }

  @Test func `what was missed follows room_info, then live messages, without a question`() throws {
    let hub = HubHarness()
    let (ann, since) = room(hub)
    let bob = hub.connect(2, user: "bob")
    hub.join(bob, "r", JoinWish(since: since))
    hub.send(ann, "m6")
    let info = try #require(hub.texts(bob).first)
    #expect(info.payload["recovered"] as? Bool == true && info.payload["offset"] as? Int == 2)
    #expect(info.payload["reason"] == nil)
    #expect(hub.contents(bob) == ["m3", "m4", "m5", "m6"] && offsets(hub, bob) == [3, 4, 5, 6])
    #expect(hub.report.counters.pastReads == 0)
  }

  @Test func `who missed nothing gets nothing`() {
    let hub = HubHarness()
    let (_, since) = room(hub)
    let bob = hub.connect(2, user: "bob")
    hub.join(bob, "r", JoinWish(since: Position(epoch: since.epoch, offset: 5), history: 3))
    #expect(hub.texts(bob).map(\.type) == ["room_info"])
    #expect(hub.texts(bob)[0].payload["recovered"] as? Bool == true)
  }

  @Test func `own messages come back with the client's id, others' without`() {
    let hub = HubHarness()
    let (_, since) = room(hub)
    let (again, bob) = (hub.connect(2, user: "ann"), hub.connect(3, user: "bob"))
    for connection in [again, bob] { hub.join(connection, "r", JoinWish(since: since)) }
    #expect(hub.texts(again, "new_message").map { $0.json["client_id"] as? String } == ["c3", "c4", "c5"])
    #expect(hub.texts(bob, "new_message").allSatisfy { $0.json["client_id"] == nil })
  }

  @Test func `a node that remembers nothing asks the relay once, also for many`() {
    let hub = HubHarness()
    let since = leftRoom(hub)
    let (bob, cy, dan) = (hub.connect(2, user: "bob"), hub.connect(3, user: "cy"), hub.connect(4, user: "dan"))
    hub.holdsRequests = true
    hub.join(bob, "r", JoinWish(since: Position(epoch: since.epoch, offset: 4)))
    hub.holdAllButReads()
    hub.join(cy, "r", JoinWish(since: Position(epoch: since.epoch, offset: 3)))
    hub.join(dan, "r", JoinWish(since: since))
    #expect(hub.heldReads.count == 1, "those who come meanwhile wait")
    hub.releaseAll()
    #expect(hub.contents(bob) == ["m5"])
    #expect(hub.contents(cy) == ["m4", "m5"] && hub.contents(dan) == ["m3", "m4", "m5"])
    #expect(hub.report.counters.pastReads == 2, "one for the first, one for all the others")
    #expect(hub.texts(dan)[0].payload["offset"] as? Int == 2)
  }

  @Test func `messages that arrive between question and answer come once, in order`() {
    let hub = HubHarness()
    let since = leftRoom(hub)
    let cy = hub.member(5, user: "cy")  // a room that begins at 5 and remembers nothing below
    let bob = hub.connect(2, user: "bob")
    hub.holdsRequests = true
    hub.join(bob, "r", JoinWish(since: since))
    hub.holdAllButReads()
    let frames = (6...8).map { hub.publishElsewhere("m\($0)") }
    hub.tell(.frame(frames[0]))
    hub.release()  // the read: 3...8 for bob, 7 and 8 are news for cy
    hub.tell(.frame(frames[2]))
    hub.tell(.frame(frames[1]))
    hub.releaseAll()
    #expect(hub.contents(cy) == ["m6", "m7", "m8"])
    #expect(hub.contents(bob) == ["m3", "m4", "m5", "m6", "m7", "m8"])
    #expect(hub.texts(bob)[0].payload["recovered"] as? Bool == true)
  }

  @Test func `another epoch cannot be recovered, be it old or forged`() throws {
    let hub = HubHarness()
    let (_, since) = room(hub)
    let bob = hub.connect(2, user: "bob")
    hub.join(bob, "r", JoinWish(since: Position(epoch: "forged", offset: 2), history: 2))
    let info = try #require(hub.texts(bob).first)
    #expect(info.payload["recovered"] as? Bool == false && info.payload["reason"] as? String == "epoch_changed")
    #expect(info.payload["offset"] as? Int == 3 && info.payload["epoch"] as? String == since.epoch)
    #expect(hub.contents(bob) == ["m4", "m5"], "the last ones follow instead")
    #expect(hub.report.counters.notRecovered == 1)
  }

  @Test func `a forged epoch on a node that knows nothing costs others nothing`() {
    let hub = HubHarness()
    let since = leftRoom(hub)
    let (mallory, bob) = (hub.connect(2, user: "mallory"), hub.connect(3, user: "bob"))
    hub.holdsRequests = true
    hub.join(mallory, "r", JoinWish(since: Position(epoch: "forged", offset: 0)))
    hub.join(bob, "r", JoinWish(since: since))
    hub.releaseAll()
    #expect(hub.texts(mallory)[0].payload["reason"] as? String == "epoch_changed")
    #expect(hub.texts(bob)[0].payload["recovered"] as? Bool == true && hub.contents(bob) == ["m3", "m4", "m5"])
  }

  @Test(arguments: [(3, 1 << 20, true), (2, 1 << 20, false), (300, 700, true), (300, 500, false)])
  func `too much is not recovered at all`(messages: Int, bytes: Int, isRecovered: Bool) {
    let hub = HubHarness { ($0.recoveryMessages, $0.recoveryBytes) = (messages, bytes) }
    let (_, since) = room(hub)
    let bob = hub.connect(2, user: "bob")
    hub.join(bob, "r", JoinWish(since: since))
    let info = hub.texts(bob)[0]
    #expect(info.payload["recovered"] as? Bool == isRecovered)
    #expect(info.payload["reason"] as? String == (isRecovered ? nil : "too_far"))
    #expect(info.payload["offset"] as? Int == (isRecovered ? 2 : 5))
    #expect(hub.contents(bob).count == (isRecovered ? 3 : 0))
  }

  @Test func `a hole in the relay's memory is too far, and only for those behind it`() {
    let hub = HubHarness(history: 3)
    let since = leftRoom(hub)
    let (old, bob) = (hub.connect(2, user: "old"), hub.connect(3, user: "bob"))
    hub.holdsRequests = true
    hub.join(old, "r", JoinWish(since: Position(epoch: since.epoch, offset: 1)))
    hub.join(bob, "r", JoinWish(since: since))
    hub.releaseAll()
    #expect(hub.texts(old)[0].payload["reason"] as? String == "too_far")
    #expect(hub.texts(bob)[0].payload["recovered"] as? Bool == true && hub.contents(bob) == ["m3", "m4", "m5"])
  }

  @Test func `messages older than the history's time are too far`() {
    let hub = HubHarness { $0.historySeconds = 60 }
    let (ann, since) = room(hub)
    hub.advance(61_000)
    hub.send(ann, "m6")
    let (old, bob) = (hub.connect(2, user: "old"), hub.connect(3, user: "bob"))
    hub.join(old, "r", JoinWish(since: since, history: 100))
    #expect(hub.texts(old)[0].payload["reason"] as? String == "too_far")
    #expect(hub.contents(old) == ["m6"])
    hub.join(bob, "r", JoinWish(since: Position(epoch: since.epoch, offset: 5)))
    #expect(hub.texts(bob)[0].payload["recovered"] as? Bool == true && hub.contents(bob) == ["m6"])
  }

  /// The client was on a node that is further than this one.
  @Test func `a position beyond the node's own is waited for`() {
    let hub = HubHarness()
    let (ann, since) = room(hub)
    for number in 6...8 { hub.publishElsewhere("m\(number)") }
    let bob = hub.connect(2, user: "bob")
    hub.join(bob, "r", JoinWish(since: Position(epoch: since.epoch, offset: 7)))
    hub.advance(500)
    #expect(hub.contents(ann) == ["m6", "m7", "m8"])
    #expect(hub.contents(bob) == ["m8"] && hub.texts(bob)[0].payload["offset"] as? Int == 7)
    #expect(hub.texts(bob)[0].payload["recovered"] as? Bool == true)
  }

  @Test(arguments: [true, false])
  func `a position that never was is a rollback`(isRemembered: Bool) {
    let hub = HubHarness()
    let since = isRemembered ? room(hub).since : leftRoom(hub)
    let bob = hub.connect(2, user: "bob")
    hub.join(bob, "r", JoinWish(since: Position(epoch: since.epoch, offset: 9), history: 1))
    let info = hub.texts(bob)[0]
    #expect(info.payload["recovered"] as? Bool == false && info.payload["reason"] as? String == "rollback")
    #expect(info.payload["offset"] as? Int == 4 && hub.contents(bob) == ["m5"])
  }

  @Test func `the greatest numbers do no harm`() {
    let hub = HubHarness()
    let (_, since) = room(hub)
    let bob = hub.connect(2, user: "bob")
    hub.join(bob, "r", JoinWish(since: Position(epoch: since.epoch, offset: .max), history: 100))
    #expect(hub.texts(bob)[0].payload["reason"] as? String == "rollback" && hub.contents(bob).count == 5)
  }

  @Test func `a member that asks again is told again, and not announced`() {
    let hub = HubHarness()
    let (ann, since) = room(hub)
    let bob = hub.member(2, user: "bob")
    hub.forgetTexts()
    hub.join(bob, "r", JoinWish(since: since))
    #expect(hub.texts(bob).map(\.type) == ["room_info"] + Array(repeating: "new_message", count: 3))
    #expect(hub.texts(ann, "user_joined").isEmpty)
    hub.send(ann, "m6")
    #expect(hub.contents(bob) == ["m3", "m4", "m5", "m6"])
  }

  @Test func `two joins of one connection are answered in their order`() {
    let hub = HubHarness()
    let since = leftRoom(hub)
    let bob = hub.connect(2, user: "bob")
    hub.holdsRequests = true
    hub.join(bob, "r", JoinWish(since: since))
    hub.join(bob, "r")
    hub.send(bob, "early", id: "e")
    hub.releaseAll()
    let types = hub.texts(bob).map(\.type)
    #expect(types.prefix(4) == ["room_info", "new_message", "new_message", "new_message"])
    #expect(types.count { $0 == "room_info" } == 2 && hub.texts(bob, "ack").first?.offset == 6)
  }

  @Test func `while the relay fails nobody is told anything false`() {
    let hub = HubHarness()
    let since = leftRoom(hub)
    let bob = hub.connect(2, user: "bob")
    hub.holdsRequests = true
    hub.join(bob, "r", JoinWish(since: since))
    for _ in 0..<49 {
      hub.failReads()
      hub.advance(100)
    }
    #expect(hub.texts(bob).isEmpty)
    hub.advance(200)
    #expect(hub.texts(bob).map { $0.payload["code"] as? String } == ["RELAY_UNAVAILABLE"])
    hub.holdsRequests = false
    hub.failReads()
    hub.join(bob, "r", JoinWish(since: since))
    #expect(hub.contents(bob) == ["m3", "m4", "m5"])
  }

  @Test func `a relay that works again within the patience is asked again`() {
    let hub = HubHarness()
    let since = leftRoom(hub)
    let bob = hub.connect(2, user: "bob")
    hub.holdsRequests = true
    hub.join(bob, "r", JoinWish(since: since))
    hub.failReads()
    hub.holdsRequests = false
    hub.releaseAll()
    hub.advance(200)
    #expect(hub.texts(bob)[0].payload["recovered"] as? Bool == true && hub.contents(bob) == ["m3", "m4", "m5"])
  }

  /// Rule 4 of the design: nothing of an old generation, be it remembered or read, is told as if it still stood.
  @Test func `a generation that changes while somebody is on the way in is an epoch that changed`() {
    let hub = HubHarness()
    let (ann, since) = room(hub)
    let bob = hub.connect(2, user: "bob")
    hub.holdsRequests = true
    hub.join(bob, "r", JoinWish(since: since))
    let old = hub.held
    hub.held.removeAll()
    hub.replaceRelay()
    #expect(hub.report.rememberedBytes == 0)
    for (_, ticket) in old { hub.tell(.reply(ticket, .failed(.staleGeneration))) }
    hub.holdsRequests = false
    hub.releaseAll()
    hub.advance(1_000)
    #expect(hub.texts(ann, "resync").count == 1)
    #expect(hub.texts(bob).map(\.type) == ["room_info"])
    #expect(hub.texts(bob)[0].payload["reason"] as? String == "epoch_changed")
    #expect(hub.texts(bob)[0].payload["epoch"] as? String == hub.epoch)
  }

  /// Where several servers make one relay, a generation is told of all when it is one's.
  @Test func `a generation that is another room's costs a question more, and nobody what he missed`() {
    let hub = HubHarness()
    let since = leftRoom(hub)
    let bob = hub.connect(2, user: "bob")
    hub.holdsRequests = true
    hub.join(bob, "r", JoinWish(since: since))
    while !hub.heldReads.isEmpty { hub.release() }
    #expect(hub.report.counters.pastReads == 1 && hub.texts(bob).isEmpty, "it was read, and the roster is on its way")
    hub.tell(.generation(id: "spread", token: "local"))
    hub.holdsRequests = false
    hub.releaseAll()
    hub.advance(1_000)
    #expect(hub.texts(bob).first?.payload["recovered"] as? Bool == true)
    #expect(hub.contents(bob) == ["m3", "m4", "m5"] && hub.report.counters.pastReads == 2)
  }

  @Test func `what a client was given at once is bounded; the rest waits until it took that`() {
    let hub = HubHarness { $0.replayBytes = 1_000 }
    let ann = hub.connect(1, user: "ann")
    let rooms = (0..<4).map { "r\($0)" }
    let bob = hub.connect(2, user: "bob")
    for room in rooms {
      hub.join(ann, room)
      for number in 0..<4 { hub.send(ann, "\(room)-\(number)", room: room) }
    }
    for room in rooms {
      let epoch = hub.texts(ann, "room_info").first { $0.json["room"] as? String == room }!.payload["epoch"] as! String
      hub.join(bob, room, JoinWish(since: Position(epoch: epoch, offset: 0)))
    }
    #expect(hub.replays[bob]!.count == 1, "one may always go")
    hub.advance(60_000)
    #expect(hub.texts(bob, "error").isEmpty, "a client does not run out of patience with itself")
    for expected in 2...4 {
      hub.tell(.replayDrained(bob))
      #expect(hub.replays[bob]!.count == expected)
    }
    #expect(Set(hub.contents(bob)).count == 16 && hub.texts(bob, "room_info").count == 4)
    hub.tell(.replayDrained(bob))
    hub.tell(.replayDrained(bob))
    hub.tell(.disconnect(bob, .lost))
  }

  @Test func `rooms that were used least recently forget first`() {
    let hub = HubHarness { $0.ringBytes = 4_000 }
    let (ann, bob) = (hub.connect(1, user: "ann"), hub.connect(2, user: "bob"))
    for room in ["a", "b", "c"] { hub.join(ann, room) }
    for room in ["a", "b", "c"] {
      for number in 1...4 { hub.send(ann, "m\(number)", room: room) }
      hub.advance(1_100)
    }
    #expect((2_000...4_000).contains(hub.report.rememberedBytes))
    let all = hub.report.rememberedBytes
    hub.join(bob, "a", JoinWish(history: 4))  // used
    hub.advance(1_100)
    hub.forgetTexts()
    for number in 5...8 { hub.send(ann, "m\(number)", room: "c") }
    #expect(hub.report.rememberedBytes <= 4_000 && all > 0)
    let reads = hub.report.counters.pastReads
    hub.join(bob, "a", JoinWish(history: 4))
    #expect(hub.report.counters.pastReads == reads, "a was used and is remembered")
    hub.join(bob, "b", JoinWish(history: 4))
    #expect(hub.report.counters.pastReads == reads + 1 && hub.contents(bob).suffix(4) == ["m1", "m2", "m3", "m4"])
  }

  @Test func `idle rooms forget after the history's time`() {
    let hub = HubHarness { $0.historySeconds = 60 }
    _ = room(hub)
    #expect(hub.report.rememberedBytes > 0)
    hub.advance(62_000)
    #expect(hub.report.rememberedBytes == 0)
  }

  @Test func `a slow connection that lost messages is told where the room stands`() {
    let hub = HubHarness()
    let (ann, _) = room(hub)
    hub.tell(.dropped(ann, 0))
    let resync = hub.texts(ann, "resync").first
    #expect(resync?.payload["reason"] as? String == "slow_consumer" && resync?.payload["offset"] as? Int == 5)
    let stranger = hub.connect(2, user: "bob")
    hub.forgetTexts()
    hub.tell(.dropped(stranger, 0))
    hub.tell(.dropped(ann, 77))
    #expect(hub.received.isEmpty)
  }

  @Test func `a duplicate's ack is no place in the order`() throws {
    let hub = HubHarness()
    let (ann, since) = room(hub)
    hub.send(ann, "m3", id: "c3")
    let ack = try #require(hub.texts(ann, "ack").first)
    #expect(ack.payload["dup"] as? Bool == true && ack.offset == 3)
    let bob = hub.connect(2, user: "bob")
    hub.join(bob, "r", JoinWish(since: since))
    #expect(offsets(hub, bob) == [3, 4, 5])
  }
}
