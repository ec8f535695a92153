import Testing

@testable import RealtimeCore

/// Many who come at once, again and again, or while nothing works: each has an answer, and none costs much.
@Suite struct HubStormTests {
  private func codes(_ hub: HubHarness, _ connection: ConnectionID) -> [String] {
    hub.texts(connection, "error").compactMap { $0.payload["code"] as? String }
  }

  private func join(_ hub: HubHarness, _ connection: ConnectionID, id: String, _ wish: JoinWish = JoinWish()) {
    hub.tell(.join(connection, RoomName("r")!, wish, id: Array(id.utf8)))
  }

  @Test func `a member who asks for the past on and on, and takes none of it, waits for four answers at most`() {
    let hub = HubHarness { $0.replayBytes = 1 }
    let ann = hub.member(1, user: "ann")
    for number in 1...3 { hub.send(ann, "m\(number)") }
    let since = JoinWish(since: Position(epoch: hub.epoch, offset: 1))
    hub.forgetTexts()
    for number in 1...20 { join(hub, ann, id: "j\(number)", since) }
    #expect(hub.texts(ann, "room_info").map(\.id) == ["j1"])
    #expect(codes(hub, ann) == Array(repeating: "RATE_LIMITED", count: 15))
    for _ in 1...5 {
      hub.tell(.replayDrained(ann))
      hub.advance(200)
    }
    #expect(hub.texts(ann, "room_info").map(\.id) == (1...5).map { "j\($0)" })
    hub.forgetTexts()
    join(hub, ann, id: "again", since)
    #expect(hub.texts(ann, "room_info").map(\.id) == ["again"], "those that were answered count no more")
  }

  @Test func `what was said on the way in is refused when its sender leaves before he is in`() {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.holdsRequests = true
    join(hub, ann, id: "j")
    hub.send(ann, "hello", id: "m")
    hub.tell(.leave(ann, RoomName("r")!, id: Array("l".utf8)))
    #expect(hub.texts(ann).map(\.type) == ["error", "ack"])
    #expect(hub.texts(ann).map(\.id) == ["m", "l"] && codes(hub, ann) == ["NOT_IN_ROOM"])
    hub.holdsRequests = false
    hub.releaseAll()
    #expect(hub.texts(ann).count == 2 && hub.roomCount == 0)
  }

  @Test func `what is said on the way in counts like anything that is said`() {
    let hub = HubHarness { $0.rate = UserRate.standard }
    let ann = hub.connect(1, user: "ann")
    hub.holdsRequests = true
    join(hub, ann, id: "j")
    for number in 1...15 { hub.send(ann, "m\(number)", id: "m\(number)") }
    #expect(codes(hub, ann) == Array(repeating: "RATE_LIMITED", count: 5))
    hub.holdsRequests = false
    hub.releaseAll()
    #expect(hub.texts(ann, "ack").map(\.id) == (1...10).map { "m\($0)" })
    #expect(codes(hub, ann).count == 5, "what was accepted is not counted again")
  }

  @Test func `who joins again while the relay is away is answered for each join`() {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.failure = .unavailable
    join(hub, ann, id: "one")
    hub.advance(2_000)
    join(hub, ann, id: "two")
    hub.send(ann, "hello", id: "m")
    hub.advance(3_000)
    #expect(Set(hub.texts(ann, "error").map(\.id)) == ["one", "two", "m"] && codes(hub, ann).count == 3)
    hub.failure = nil
    hub.tell(.state(.suspect))
    hub.tell(.state(.connected))
    hub.advance(3_000)
    #expect(hub.texts(ann).count == 3 && hub.roomCount == 0)
  }

  @Test func `who asks who is there while the relay is away is told after five seconds`() {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.failure = .unavailable
    hub.tell(.askOnlineUsers(ann, RoomName("r")!, id: Array("q".utf8)))
    hub.advance(4_800)
    #expect(codes(hub, ann).isEmpty)
    hub.advance(200)
    #expect(codes(hub, ann) == ["RELAY_UNAVAILABLE"] && hub.texts(ann)[0].id == "q")
    hub.advance(1_000)
    #expect(hub.roomCount == 0, "nobody waits for its roster any more")
  }

  @Test func `many wait, some leave, some go, the rest is given up, each with one answer`() {
    let hub = HubHarness()
    hub.failure = .unavailable
    let all = (0..<300).map { hub.connect($0, user: "u\($0)") }
    for (number, connection) in all.enumerated() {
      join(hub, connection, id: "j", JoinWish(history: number % 2))
      if number % 7 == 0 { hub.advance(1) }
    }
    for number in stride(from: 0, to: 300, by: 3) { hub.tell(.disconnect(all[number], .lost)) }
    for number in stride(from: 1, to: 300, by: 3) { hub.tell(.leave(all[number], RoomName("r")!, id: [])) }
    hub.advance(6_000)
    for number in 0..<300 {
      #expect(hub.texts(all[number]).map(\.type) == [[], ["ack"], ["error"]][number % 3])
    }
    #expect(hub.roomCount == 0)
  }

  @Test func `who came and went while the relay was away is not told of when it is back`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.failure = .unavailable
    for number in 0..<3_000 {
      let connection = hub.connect(2, user: "u\(number)")
      join(hub, connection, id: "j")
      hub.tell(.disconnect(connection, .left))
    }
    let bob = hub.connect(3, user: "bob")
    join(hub, bob, id: "j")
    hub.failure = nil
    hub.holdsRequests = true
    hub.tell(.state(.suspect))
    hub.tell(.state(.connected))
    var changes = 0
    while let first = hub.held.first {
      if case .changePresence(_, let batch) = first.request { changes += batch.count }
      hub.release()
    }
    #expect(changes < 2_100, "\(changes) of 12,002")
    #expect(hub.texts(bob, "room_info").count == 1)
    let users = hub.texts(bob, "room_info")[0].payload["users"] as? [[String: Any]] ?? []
    #expect(users.compactMap { $0["id"] as? String }.sorted() == ["ann", "bob"])
    _ = ann
  }

  @Test func `a change that was tried may have run, and what undoes it is told`() {
    var presence = Presence(instance: "n", now: 0)
    presence.isRegistered = true
    let room = RoomName("r")!
    let (ann, bob) = (Identity(user: "ann")!, Identity(user: "bob")!)
    presence.change(room: room, ann, isJoin: true)
    let tried = presence.takeBatch(now: 0)
    presence.putBack(now: 0)
    presence.change(room: room, ann, isJoin: false)
    for _ in 0..<2_000 {
      presence.change(room: room, bob, isJoin: true)
      presence.change(room: room, bob, isJoin: false)
    }
    presence.change(room: room, bob, isJoin: true)
    let isFew = presence.waitingCount < 1_100
    #expect(tried?.count == 1 && isFew)
    var told: [String] = []
    while let batch = presence.takeBatch(now: 10_000) {
      told += batch.map { ($0.isJoin ? "+" : "-") + $0.user }
      presence.settled()
    }
    #expect(told.prefix(2) == ["+ann", "-ann"] && told.last == "+bob")
    let (last, sent) = (presence.lastChange, presence.lastSent)
    #expect(last == sent)
  }
}
