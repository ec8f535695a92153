import Foundation
import Testing

@testable import RealtimeCore

/// What backends send and ask, as the hub sees it.
@Suite struct HubBackendTests {
  private static let room = RoomName("r")!
  private static let asker = ConnectionID(shard: 0, generation: 9, slot: 900)

  private func publish(_ hub: HubHarness, _ payload: String, sender: String? = nil, id: String = "") {
    let identity = sender.flatMap { Identity(user: $0) }
    hub.tell(.serve(Self.asker, .publish(Self.room, payload: Array(payload.utf8), sender: identity, id: id)))
  }

  private func found(_ hub: HubHarness) throws -> [String: Any] {
    guard case .found(let text) = hub.answers.last else { throw Missing() }
    return try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [String: Any])
  }

  struct Missing: Error {}

  @Test func `a message waits for the relay, and its sender's connections get it too`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    publish(hub, #"{"content":"a"}"#, sender: "ann", id: "i")
    #expect(hub.answers.isEmpty && hub.contents(ann).isEmpty)
    hub.releaseAll()
    #expect(hub.contents(ann) == ["a"])
    guard case .published(_, let place, let id, isDuplicate: false) = hub.answers.last else {
      Issue.record("\(hub.answers)")
      return
    }
    #expect(place.offset == 1 && id == "n1-abcdef-1")
  }

  @Test func `a copy that comes back answers at once, and only once`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let epoch = hub.epoch
    hub.holdsRequests = true
    publish(hub, #"{"content":"a"}"#, id: "i")
    let request = hub.held[0].request
    hub.tell(.frame(hub.storedFrame(of: request, epoch: epoch, offset: 1)))
    #expect(hub.answers.count == 1 && hub.contents(ann) == ["a"])
    // The reply is lost, and the next try finds the message stored.
    hub.tell(.reply(hub.held[0].ticket, .failed(.outcomeUnknown)))
    hub.advance(10_000)
    #expect(hub.answers.count == 1 && hub.contents(ann) == ["a"])
  }

  @Test func `nobody knows what became of it when the relay is silent`() {
    let hub = HubHarness()
    hub.failure = .unavailable
    publish(hub, "1", id: "i")
    #expect(hub.answers.isEmpty)
    hub.advance(Hub.publishPatience + 1_000)
    #expect(hub.answers == [.unavailable])
    hub.tell(.state(.degraded))
    publish(hub, "2")
    #expect(hub.answers == [.unavailable, .unavailable], "while it is known to be away nothing waits")
    #expect(hub.report.pendingMessages == 0 && hub.roomCount == 0)
  }

  @Test func `a retry in a new epoch is not shown twice`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    publish(hub, #"{"content":"a"}"#, sender: "ann", id: "i")
    hub.replaceRelay()
    publish(hub, #"{"content":"a"}"#, sender: "ann", id: "i")
    #expect(hub.contents(ann) == ["a"])
    // A client's own id is another one.
    hub.send(ann, "b", id: "i")
    let ben = hub.connect(2, user: "ann")
    hub.join(ben, "r", JoinWish(history: 5))
    #expect(hub.contents(ben).contains("b"))
  }

  @Test func `what no node would read is refused`() {
    let hub = HubHarness()
    publish(hub, #"{"room_id":"other"}"#)
    publish(hub, "\"" + String(repeating: "a", count: RelayFrame.byteLimit) + "\"")
    let twice: [UInt8] = Array(#"{"room_id":"a","room_id":"a"}"#.utf8)
    hub.tell(.serve(Self.asker, .chat(payload: twice, sender: nil)))
    hub.tell(.serve(Self.asker, .message(user: "u", payload: twice, sender: nil)))
    #expect(hub.answers == [.unreadable, .unreadable, .unreadable, .unreadable])
  }

  @Test func `silent nodes make an answer partial`() throws {
    let hub = HubHarness()
    hub.connect(1, user: "ann")
    hub.holdsRequests = true
    hub.advance(2_000)
    for (request, ticket) in hub.held {
      guard case .heartbeat = request else { continue }
      hub.tell(.reply(ticket, .alive(nodes: ["n1-abcdef", "n2", "n3"].map { NodeStanding($0) }, expired: [])))
    }
    hub.held.removeAll()
    func ask(_ wish: BackendWish, _ others: [String]) {
      hub.tell(.serve(Self.asker, wish))
      hub.releaseAll()
      for text in others { hub.tell(.directed(Array(text.utf8))) }
    }
    ask(.user("ann"), ["answer 1 local n2 3"])
    #expect(hub.answers.isEmpty)
    // Twice from one node, of another generation, no number, too much, to nobody.
    for text in [
      "answer 1 local n2 3", "answer 1 other n3 3", "answer 1 local n3 x", "answer 1 local n3 1 2",
      "answer 7 local n3 1",
    ] { hub.tell(.directed(Array(text.utf8))) }
    #expect(hub.answers.isEmpty && hub.counters.badFrames == 3)
    hub.advance(Gatherings.patience)
    var user = try found(hub)
    #expect(user["partial"] as? Bool == true && user["connections"] as? Int == 4)
    ask(.user("ann"), ["answer 2 local n2 3", "answer 2 local n3 0"])
    user = try found(hub)
    #expect(user["partial"] == nil && (user["nodes"] as? [Any])?.count == 3)

    ask(
      .nodes, ["answer 3 local n2 draining 10.0.0.2:8080 9.9 5 4 3 2 1 6", "answer 3 local n3 asleep a b 1 1 1 1 1 1"])
    hub.advance(Gatherings.patience)
    let nodes = try #require(try found(hub)["nodes"] as? [[String: Any]])
    #expect(nodes.map { $0["state"] as? String } == ["ready", "draining", "silent"])
    #expect(nodes[1]["connections"] as? Int == 5 && nodes[1]["lease_age_ms"] as? Int == 1)
    #expect(nodes[1]["messages"] as? Int == 6)

    ask(.notification(user: nil, title: "t", body: "b"), ["reached 4 2 local", "reached 4 1 local"])
    #expect(hub.answers.last == .reached(connections: 4, isPartial: false))
  }

  @Test func `rooms of several nodes are one list`() throws {
    let hub = HubHarness()
    for (slot, name) in ["b", "d", "f"].enumerated() { _ = hub.member(UInt32(slot), user: "u\(slot)", room: name) }
    hub.holdsRequests = true
    hub.tell(.serve(Self.asker, .rooms(after: RoomName("a")!, limit: 3)))
    // Handed to two, of whom the other has not been heard.
    let question = try #require(hub.held.first { if case .broadcast = $0.request { true } else { false } })
    guard case .broadcast(let frame) = question.request else { return }
    hub.tell(.frame(frame))
    hub.tell(.reply(question.ticket, .sent(receivers: 2)))
    hub.tell(.directed(Array("answer 1 local n2 b 7 c 2 e 9 g 1".utf8)))
    let page = try found(hub)
    let rooms = try #require(page["rooms"] as? [[String: Any]])
    #expect(rooms.map { $0["room"] as? String } == ["b", "c", "d"])
    #expect(rooms.map { $0["count"] as? Int } == [7, 2, 1])
    #expect(page["next"] as? String == "d" && page["partial"] == nil)
  }

  @Test func `the words between nodes are read back`() throws {
    let questions: [NodeQuestion] = [
      .user("ann"), .nodes, .drain("n2-123456"), .rooms(after: nil, limit: 1),
      .rooms(after: RoomName("x:y"), limit: 200),
    ]
    for question in questions {
      #expect(NodeQuestion(words: question.words, user: question.user ?? "whoever") == question)
    }
    for words in [
      "", "rooms", "rooms 0", "rooms 201", "rooms x", "rooms 1 a b", "rooms 1 ", "users", "nodes 1", "drain",
      "drain a b",
    ] {
      #expect(NodeQuestion(words: words, user: nil) == nil, "\(words)")
    }
    #expect(NodeQuestion(words: "user", user: nil) == nil)
    let facts = NodeFacts(
      node: "n", state: .ready, address: "a b", version: "", connections: 1, users: 2, rooms: 3, uptimeSeconds: 4,
      leaseAge: 5, messages: 6)
    var read = facts
    (read.address, read.version) = ("a_b", "-")
    #expect(NodeAnswer(facts.words.split(separator: " "), to: .nodes, from: "n") == .facts(read))
  }
}
