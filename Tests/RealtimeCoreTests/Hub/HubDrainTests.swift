import Testing

@testable import RealtimeCore

/// Connections that must go: none before everything it said has its answer, and nobody seems to leave.
@Suite struct HubDrainTests {
  @Test func `a connection that is owed nothing goes at once`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.tell(.sendAway(ann))
    #expect(hub.closed[ann] == .sentAway)
  }

  @Test func `one that waits for an ack goes right behind it`() {
    let hub = HubHarness()
    let (ann, bob) = (hub.member(1, user: "ann"), hub.member(2, user: "bob"))
    hub.holdsRequests = true
    hub.send(ann, "last words", id: "m")
    hub.tell(.sendAway(ann))
    hub.tell(.sendAway(bob))
    #expect(hub.closed[ann] == nil && hub.closed[bob] == .sentAway)
    hub.release()
    #expect(hub.closed[ann] == .sentAway && hub.texts(ann, "ack").map(\.id) == ["m"])
  }

  @Test func `one whose message is stored and not yet in its place waits for the place`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    hub.send(ann, "mine", id: "m")
    hub.publishElsewhere("before it")
    hub.release()
    hub.tell(.sendAway(ann))
    #expect(hub.closed[ann] == nil && hub.texts(ann, "ack").isEmpty)
    hub.advance(60)
    hub.releaseAll()
    hub.advance(20)
    #expect(hub.closed[ann] == .sentAway && hub.texts(ann, "ack").map(\.id) == ["m"])
  }

  @Test(arguments: ["join", "online", "history", "private", "chat"])
  func `every question is answered first`(question: String) throws {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    let text = HubHarness.text("x", id: "q")
    switch question {
    case "join": hub.tell(.join(ann, RoomName("s")!, JoinWish(), id: Array("q".utf8)))
    case "online": hub.tell(.askOnlineUsers(ann, RoomName("r")!, id: Array("q".utf8)))
    case "history": hub.tell(.askHistory(ann, RoomName("r")!, limit: 9, before: 5, id: Array("q".utf8)))
    case "private": hub.tell(.sendPrivate(ann, recipient: "bob", text))
    default: hub.tell(.chat(ann, text))
    }
    hub.tell(.sendAway(ann))
    let isAsked = !hub.held.isEmpty
    #expect(hub.closed[ann] == (isAsked ? nil : .sentAway))
    hub.releaseAll()
    hub.advance(20)
    hub.releaseAll()
    hub.advance(20)
    #expect(hub.closed[ann] == .sentAway && hub.texts(ann).contains { $0.id == "q" })
  }

  /// Messages wait five seconds for the relay; whoever sent them is told before he goes.
  @Test func `while the relay is away one waits until one is told so`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.failure = .outcomeUnknown
    hub.send(ann, "hi", id: "m")
    hub.tell(.sendAway(ann))
    hub.advance(4_900)
    #expect(hub.closed[ann] == nil)
    hub.advance(600)
    #expect(hub.closed[ann] == .sentAway)
    #expect(hub.texts(ann, "error").map(\.id) == ["m"])
  }

  @Test func `many that wait do not cost each other their turn`() {
    let hub = HubHarness { $0.connectionsPerUser = 1_000 }
    let all = (1...300).map { hub.member(UInt32($0), user: "ann") }
    hub.holdsRequests = true
    for connection in all.prefix(150) { hub.send(connection, "x", id: "m\(connection.slot)") }
    hub.tell(all.map { HubCommand.sendAway($0) })
    hub.advance(100)
    #expect(all.suffix(150).allSatisfy { hub.closed[$0] == .sentAway })
    #expect(all.prefix(150).allSatisfy { hub.closed[$0] == nil })
    hub.releaseAll()
    hub.advance(200)
    hub.releaseAll()
    hub.advance(200)
    #expect(all.allSatisfy { hub.closed[$0] == .sentAway })
    #expect(all.prefix(150).allSatisfy { hub.texts($0, "ack").count == 1 })
  }

  @Test func `who is gone before his turn is not closed`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.holdsRequests = true
    hub.send(ann, "hi", id: "m")
    hub.tell(.sendAway(ann))
    hub.tell(.disconnect(ann, .lost))
    hub.releaseAll()
    hub.advance(6_000)
    #expect(hub.closed[ann] == nil)
  }

  // MARK: Presence

  @Test func `who was sent away has three seconds to come back elsewhere`() {
    let cluster = HubCluster(nodes: 2)
    let ann = cluster.join(1, "ann", on: 1)
    let (bob, cid) = (cluster.join(2, "bob", on: 0), cluster.join(3, "cid", on: 0))
    cluster.settle()
    cluster.lose(bob, .sentAway)
    cluster.lose(cid, .sentAway)
    cluster.advance(2_900)
    cluster.join(4, "bob", on: 1)
    cluster.advance(1_000)
    #expect(cluster.views[ann]?.events == ["+bob", "+cid", "-cid"])
  }

  @Test func `who comes back to the node that sent him away was never gone either`() {
    let cluster = HubCluster(nodes: 2)
    let (ann, bob) = (cluster.join(1, "ann", on: 1), cluster.join(2, "bob", on: 0))
    cluster.settle()
    cluster.lose(bob, .sentAway)
    cluster.advance(1_000)
    cluster.join(3, "bob", on: 0)
    cluster.advance(5_000)
    #expect(cluster.views[ann]?.events == ["+bob"])
  }

  /// What differs in its time does not wait for each other.
  @Test func `who is lost while others are sent away leaves in his own time`() {
    let cluster = HubCluster(nodes: 2)
    let ann = cluster.join(1, "ann", on: 1)
    let (bob, cid) = (cluster.join(2, "bob", on: 0), cluster.join(3, "cid", on: 0))
    cluster.settle()
    cluster.lose(bob, .sentAway)
    cluster.lose(cid, .lost)
    cluster.advance(2_200)
    #expect(cluster.views[ann]?.events == ["+bob", "+cid", "-cid"])
    cluster.advance(1_000)
    #expect(cluster.views[ann]?.events == ["+bob", "+cid", "-cid", "-bob"])
  }

  @Test func `after the node is gone nothing of it is told, and the rest is reaped`() {
    let cluster = HubCluster(nodes: 2)
    let (ann, bob) = (cluster.join(1, "ann", on: 1), cluster.join(2, "bob", on: 0))
    cluster.settle()
    cluster.lose(bob, .sentAway)
    cluster.depart(0)
    cluster.advance(6_000)
    #expect(cluster.views[ann]?.events == ["+bob"])
    cluster.reap(0)
    cluster.settle()
    #expect(cluster.views[ann]?.events == ["+bob", "-bob"])
  }

  @Test func `others hear at once that a node drains`() {
    let hub = HubHarness()
    hub.holdsRequests = true
    hub.tell(.beginDrain)
    hub.advance(0)
    let beats = hub.held.compactMap {
      if case .heartbeat(_, _, let isDraining) = $0.request { isDraining } else { nil }
    }
    #expect(beats == [true])
  }

  @Test func `a departure is told until it is heard`() {
    let hub = HubHarness()
    hub.failure = .outcomeUnknown
    hub.tell(.depart(graceMilliseconds: 3_000))
    #expect(!hub.report.hasDeparted)
    hub.advance(300)
    let departures = hub.failed.count { if case .depart(_, 3_000) = $0.request { true } else { false } }
    #expect(departures == 2 && !hub.report.hasDeparted)
    hub.failure = nil
    hub.advance(300)
    #expect(hub.report.hasDeparted)
    hub.advance(10_000)
    #expect(hub.report.hasDeparted)
  }
}

@Suite struct DrainRequestTests {
  private let backend = ConnectionID(shard: 0, generation: 9, slot: 99)

  /// A hub that knows of others, and whose requests wait for the test.
  private func hub(others: [String] = []) -> HubHarness {
    let hub = HubHarness()
    hub.holdsRequests = true
    hub.advance(2_000)
    for (request, ticket) in hub.held {
      guard case .heartbeat = request else { continue }
      let nodes = (["n1-abcdef"] + others).map { NodeStanding($0) }
      hub.tell(.reply(ticket, .alive(nodes: nodes, expired: [])))
    }
    hub.held.removeAll()
    return hub
  }

  @Test(arguments: ["n1", "n1-abcdef"]) func `the node that is asked drains itself`(name: String) {
    let hub = hub(others: ["n2-123456"])
    hub.tell(.drainNode(backend, node: name))
    #expect(hub.answers == [.drain(.begun(node: "n1-abcdef"))] && hub.drainsWanted == 1)
  }

  @Test func `without a relay one knows oneself`() {
    let hub = HubHarness()
    hub.advance(2_000)
    hub.tell(.drainNode(backend, node: "n1"))
    hub.tell(.drainNode(backend, node: "n2"))
    #expect(hub.answers == [.drain(.begun(node: "n1-abcdef")), .drain(.unknownNode)] && hub.drainsWanted == 1)
  }

  @Test func `another node is told, and its answer is passed on at once`() throws {
    let (asked, other) = (hub(others: ["n2-123456"]), HubHarness { $0 = HubConfiguration(instance: "n2-123456") })
    asked.tell(.drainNode(backend, node: "n2"))
    let wish = try #require(asked.held.first)
    guard case .broadcast(let frame) = wish.request else { throw Wrong() }
    asked.tell(.frame(frame))
    asked.tell(.reply(wish.ticket, .sent(receivers: 3)))
    #expect(asked.answers == [] && asked.drainsWanted == 0)
    other.holdsRequests = true
    other.tell(.frame(frame))
    #expect(other.drainsWanted == 1)
    guard case .send(node: "n1-abcdef", let answer)? = other.held.last?.request else { throw Wrong() }
    asked.tell(.directed(answer))
    #expect(asked.answers == [.drain(.begun(node: "n2-123456"))] && asked.drainsWanted == 0)
    asked.advance(5_000)
    #expect(asked.answers.count == 1)
  }

  @Test func `names of nobody, of several and of the silent`() throws {
    let hub = hub(others: ["n2-123456", "n2-abcdef", "n3-123456"])
    hub.tell(.drainNode(backend, node: "n2"))
    #expect(hub.answers.last == .drain(.severalNodes))
    hub.tell(.drainNode(backend, node: "n 4\r\n"))
    #expect(hub.answers.last == .drain(.unknownNode) && hub.held.isEmpty)
    // Nobody knows a node of this name, but it may have come just now.
    hub.tell(.drainNode(backend, node: "n4-123456"))
    let asked = try #require(hub.held.first)
    guard case .broadcast(let frame) = asked.request else { throw Wrong() }
    hub.tell(.frame(frame))
    hub.tell(.reply(asked.ticket, .sent(receivers: 4)))
    for node in ["n2-123456", "n2-abcdef"] { hub.tell(.directed(Array("answer 1 local \(node) no".utf8))) }
    #expect(hub.answers.count == 2)
    hub.tell(.directed(Array("answer 1 local n3-123456 no".utf8)))
    #expect(hub.answers.count == 3 && hub.answers.last == .drain(.unknownNode))
    hub.tell(.drainNode(backend, node: "n3"))
    hub.advance(Gatherings.patience - 1)
    #expect(hub.answers.count == 3)
    hub.advance(1)
    #expect(hub.answers.last == .drain(.noAnswer) && hub.answers.count == 4)
    hub.tell(.state(.degraded))
    hub.tell(.drainNode(backend, node: "n3"))
    #expect(hub.answers.last == .drain(.noAnswer) && hub.answers.count == 5)
  }

  @Test func `strangers' words drain nobody`() throws {
    let hub = hub(others: ["n2-123456"])
    hub.tell(.drainNode(backend, node: "n2"))
    guard case .broadcast(let frame)? = hub.held.first?.request else { throw Wrong() }
    let question = String(decoding: frame, as: UTF8.self)
    #expect(question.contains("drain n2-123456") && question.contains(#""token":"local""#))
    let aimed = question.replacing("n2-123456", with: "n1-abcdef")
    hub.tell(.frame(Array(aimed.replacing(#""token":"local""#, with: #""token":"guess""#).utf8)))
    #expect(hub.drainsWanted == 0 && hub.counters.badFrames == 1)
    for words in ["answer 1 guessed n2-123456 yes", "answer 1 local n2-123456 maybe", "answer 9 local n2 yes"] {
      hub.tell(.directed(Array(words.utf8)))
    }
    #expect(hub.drainsWanted == 0 && hub.answers == [] && hub.counters.badFrames == 3)
    hub.tell(.frame(Array(aimed.utf8)))
    #expect(hub.drainsWanted == 1, "it is the token that makes the difference")
  }

  @Test(arguments: [
    ("web-1", "web-1-0a1b2c3d", true), ("web", "web-1-0a1b2c3d", false), ("web-1-0a1b2c3d", "web-1-0a1b2c3d", true),
    ("a-very-long-name", "-long-name-0a1b2c3d", true), ("", "-0a1b2c3d", false), ("node", "node", true),
    ("roost-6d4cf56db6-x7k2p", "db6-x7k2p-0a1b2c3d", false), ("roost-6d4cf56db6-x7k2p", "6db6-x7k2p-0a1b2c3d", true),
    ("roost-6d4cf56db6-9zqwt", "6db6-x7k2p-0a1b2c3d", false),
  ])
  func `a node answers to its id and to its whole name`(given: String, name: String, isMeant: Bool) {
    #expect(NodeName.may(given, mean: name) == isMeant)
  }

  struct Wrong: Error {}
}

@Suite struct HubRebalanceTests {
  /// Answers every heartbeat with these nodes for so many seconds.
  private func beat(_ hub: HubHarness, seconds: Int, _ others: [NodeStanding]) {
    for _ in 0..<seconds {
      hub.advance(1_000)
      while let index = hub.held.firstIndex(where: { if case .heartbeat = $0.request { true } else { false } }) {
        let ticket = hub.held.remove(at: index).ticket
        hub.tell(.reply(ticket, .alive(nodes: [NodeStanding("n1-abcdef", connections: 100)] + others, expired: [])))
      }
    }
  }

  private func fullHub(_ rules: Rebalance.Rules?) -> HubHarness {
    let hub = HubHarness { $0.rebalance = rules }
    for slot in 1...100 { hub.connect(UInt32(slot), user: "u\(slot)") }
    hub.holdsRequests = true
    return hub
  }

  @Test func `a node with more than others sheds, within a bound`() {
    let hub = fullHub(.init(threshold: 20, least: 20, perSecond: 5))
    beat(hub, seconds: 12, [NodeStanding("n2-123456")])
    #expect(!hub.shed.isEmpty && hub.shed.allSatisfy { (1...10).contains($0) })
  }

  @Test func `off by default, and not while it or another drains, and not while the relay is away`() {
    let standard = fullHub(nil)
    beat(standard, seconds: 12, [NodeStanding("n2-123456")])
    #expect(standard.shed == [])
    let rules = Rebalance.Rules(threshold: 20, least: 20, perSecond: 5)
    let other = fullHub(rules)
    beat(other, seconds: 12, [NodeStanding("n2-123456"), NodeStanding("n3-123456", isDraining: true)])
    #expect(other.shed == [])
    let drained = fullHub(rules)
    drained.tell(.beginDrain)
    beat(drained, seconds: 12, [NodeStanding("n2-123456")])
    #expect(drained.shed == [])
    let away = fullHub(rules)
    away.tell(.state(.degraded))
    beat(away, seconds: 12, [NodeStanding("n2-123456")])
    #expect(away.shed == [])
  }
}
