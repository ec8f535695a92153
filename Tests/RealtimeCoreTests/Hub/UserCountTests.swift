import RealtimeCore
import Testing

/// How many connections a user may have: exactly so many on one node, and about so many on all of them.
@Suite struct UserCountTests {
  /// A hub that knows of another node, and whose requests wait for the test.
  private func inCluster(limit: Int = 3) -> HubHarness {
    let hub = HubHarness { $0.connectionsPerUser = limit }
    hub.holdsRequests = true
    hub.advance(2_000)  // to the heartbeat
    for (request, ticket) in hub.held {
      guard case .heartbeat = request else { continue }
      hub.tell(.reply(ticket, .alive(nodes: [NodeStanding("n1"), NodeStanding("n2")], expired: [])))
    }
    hub.held.removeAll()
    return hub
  }

  /// The questions about users that wait.
  private func questions(_ hub: HubHarness) -> [(users: [UserCount], ticket: RelayTicket)] {
    hub.held.compactMap {
      if case .countUsers(_, let users) = $0.request { (users, $0.ticket) } else { nil }
    }
  }

  private func answer(_ hub: HubHarness, _ reply: RelayReply) throws {
    let ticket = try #require(questions(hub).first?.ticket)
    hub.held.removeAll { $0.ticket == ticket }
    hub.tell(.reply(ticket, reply))
  }

  @Test func `a node alone asks nobody`() {
    let hub = HubHarness { $0.connectionsPerUser = 2 }
    hub.holdsRequests = true
    for slot in 0..<3 { hub.connect(UInt32(slot), user: "ann") }
    #expect(hub.admitted.count == 2 && hub.refused == [hub.connection(2): .tooManyConnections])
  }

  @Test func `who has too many connections elsewhere waits`() throws {
    let hub = inCluster()
    hub.connect(0, user: "ann")
    #expect(hub.admitted.isEmpty && questions(hub).map(\.users) == [[UserCount(user: "ann", connections: nil)]])
    try answer(hub, .counted(elsewhere: [2]))
    #expect(hub.admitted.count == 1)
    hub.connect(1, user: "ann")
    try answer(hub, .counted(elsewhere: [2]))
    #expect(hub.refused == [hub.connection(1): .tooManyConnections])
    hub.connect(2, user: "ben")
    try answer(hub, .counted(elsewhere: [0]))
    #expect(hub.admitted.count == 2)
  }

  @Test func `several who wait at once are let in one by one`() throws {
    let hub = inCluster(limit: 3)
    hub.connect(0, user: "ann")
    hub.connect(1, user: "ann")
    try answer(hub, .counted(elsewhere: [1]))
    try answer(hub, .counted(elsewhere: [2]))
    #expect(hub.admitted.count == 1 && hub.refused.count == 1)
    // Those who wait count on the node itself, without a question.
    for slot in 2..<4 { hub.connect(UInt32(slot), user: "ann") }
    hub.connect(4, user: "ann")
    #expect(hub.refused[hub.connection(4)] == .tooManyConnections)
    #expect(questions(hub).count == 2)
  }

  @Test(arguments: [RelayFailure.unavailable, .outcomeUnknown, .refused(.readOnly)])
  func `without an answer the node's own number counts`(failure: RelayFailure) throws {
    let hub = inCluster(limit: 1)
    hub.connect(0, user: "ann")
    try answer(hub, .failed(failure))
    #expect(hub.admitted.count == 1)
    hub.connect(1, user: "ann")
    #expect(hub.refused.count == 1)
  }

  @Test func `who gives up while he waits is not let in`() throws {
    let hub = inCluster()
    let gone = hub.connect(0, user: "ann")
    hub.tell(.disconnect(gone, .lost))
    try answer(hub, .counted(elsewhere: [0]))
    #expect(hub.admitted.isEmpty && hub.refused.isEmpty)
    for slot in 1..<4 { hub.connect(UInt32(slot), user: "ann") }
    #expect(hub.refused.isEmpty)
  }

  @Test func `while the relay is away nobody waits`() {
    let hub = inCluster()
    hub.tell(.state(.degraded))
    hub.connect(0, user: "ann")
    #expect(hub.admitted.count == 1)
  }

  /// Lets the relay answer everything but counts.
  private func settlePresence(_ hub: HubHarness) {
    while let index = hub.held.firstIndex(where: { if case .countUsers = $0.request { false } else { true } }) {
      hub.release(index)
    }
  }

  @Test func `the relay hears of users with several connections, and of nobody else`() throws {
    let hub = HubHarness()
    hub.holdsRequests = true
    hub.connect(0, user: "ben")
    let first = hub.connect(1, user: "ann")
    let second = hub.connect(2, user: "ann")
    #expect(questions(hub).isEmpty, "before the relay knows the user")
    settlePresence(hub)
    #expect(questions(hub).map(\.users) == [[UserCount(user: "ann", connections: 2)]])
    hub.connect(3, user: "ann")
    #expect(questions(hub).count == 1, "one at a time")
    try answer(hub, .counted(elsewhere: [0]))
    #expect(questions(hub).map(\.users) == [[UserCount(user: "ann", connections: 3)]])
    try answer(hub, .counted(elsewhere: [0]))
    hub.tell(.disconnect(first, .lost))
    hub.tell(.disconnect(second, .lost))
    #expect(questions(hub).map(\.users) == [[UserCount(user: "ann", connections: 2)]])
    try answer(hub, .counted(elsewhere: [0]))
    #expect(questions(hub).map(\.users) == [[UserCount(user: "ann", connections: 1)]])
  }

  @Test func `what could not be told is told again, after a while`() throws {
    let hub = HubHarness()
    hub.holdsRequests = true
    for slot in 0..<2 { hub.connect(UInt32(slot), user: "ann") }
    settlePresence(hub)
    try answer(hub, .failed(.outcomeUnknown))
    #expect(questions(hub).isEmpty)
    hub.advance(1_000)
    settlePresence(hub)
    #expect(questions(hub).map(\.users) == [[UserCount(user: "ann", connections: 2)]])
  }

  @Test func `a new incarnation tells its users' connections anew`() throws {
    let hub = HubHarness()
    hub.holdsRequests = true
    for slot in 0..<2 { hub.connect(UInt32(slot), user: "ann") }
    settlePresence(hub)
    try answer(hub, .counted(elsewhere: [0]))
    hub.tell(.generation(id: "other", token: "t2"))
    settlePresence(hub)
    #expect(questions(hub).map(\.users) == [[UserCount(user: "ann", connections: 2)]])
  }
}
