import EventLoops
import Glibc
import LoadGenerator
import RoostTesting
import Testing

@Suite("cluster failures", .serialized, .timeLimit(.minutes(20)))
struct FailureTests {
  private func scenario(seed: UInt64, connections: Int = 60, rooms: Int = 12) async throws -> ClusterScenario {
    let scenario = try await ClusterScenario(seed: seed)
    try await scenario.gather(connections: connections)
    try await scenario.fill(rooms: rooms)
    try await scenario.cluster.waitForOnline(scenario.truth(), on: [0, 1, 2])
    return scenario
  }

  /// Within 8 and 12 s, as promised, where nothing keeps the nodes and this test from their work; it prints how long it
  /// took.
  @Test func `a killed node goes out of the counts, and its users leave`() async throws {
    let scenario = try await scenario(seed: 11)
    let leaving = scenario.departures(from: 2)
    #expect(!leaving.isEmpty)
    let start = monotonicMilliseconds()
    scenario.cluster.nodes[2].signal(SIGKILL)

    // Connections are right first, then users, whose last memberships must be undone.
    let truth = scenario.truth(without: [2])
    try await ClusterUnderTest.eventually("both survivors count \(truth)", seconds: 60) {
      [0, 1].allSatisfy {
        let said = scenario.cluster.online($0)
        return said?.online == truth.online && said?.nodes == truth.nodes
      }
    }
    try await scenario.clients.listen(for: "everybody heard who left") { clients in
      leaving.allSatisfy { room, user, witnesses in
        clients.count(in: room, of: witnesses) { $0 == .userLeft(user) } == witnesses.count
      }
    }
    try await scenario.cluster.waitForOnline(truth, on: [0, 1])
    print("right after \(Double(monotonicMilliseconds() - start) / 1_000) s")
    #expect(scenario.heardLeaving() == Set(leaving.map { "\($0.room) \($0.user)" }), "and nobody else left")
    await scenario.stop()
  }

  @Test func `nobody leaves when Redis is restarted, and messages flow again`() async throws {
    let scenario = try await scenario(seed: 12)
    await scenario.talk(scenario.clients.clients.indices)
    try await scenario.waitForDelivery()
    #expect(scenario.violations().prefix(10) == [])

    scenario.cluster.redis.kill()
    await scenario.clients.listen(seconds: 3)
    try scenario.cluster.redis.start()
    // Everybody is told, once per room, that the run of offsets has changed.
    let rooms = scenario.members
    try await scenario.clients.listen(for: "a resync in every room") { clients in
      rooms.allSatisfy { room, members in
        clients.count(in: room, of: members) { Self.isResync($0) } == members.count
      }
    }
    for (room, members) in rooms.sorted(by: { $0.key < $1.key }) {
      let content = "after-\(room)"
      await scenario.clients.say(members[0], room, content)
      let others = members.dropFirst()
      try await scenario.clients.listen(for: "\(content) is heard by all") { clients in
        clients.count(in: room, of: others) { Self.isMessage($0, content) } == others.count
      }
    }
    // Longer than any lease: whoever was thought gone would have been announced by now.
    await scenario.clients.listen(seconds: 8)
    #expect(scenario.heardLeaving() == [])
    #expect(scenario.clients.areAllOpen)
    try await scenario.cluster.waitForOnline(scenario.truth(), on: [0, 1, 2])
    await scenario.stop()
  }

  @Test func `a paused node comes back without damaging the counts`() async throws {
    let scenario = try await scenario(seed: 13)
    let leaving = scenario.departures(from: 1)
    scenario.cluster.nodes[1].pause()
    await scenario.clients.listen(seconds: 8)
    try await scenario.cluster.waitForOnline(scenario.truth(without: [1]), on: [0, 2])
    scenario.cluster.nodes[1].signal(SIGCONT)

    try await scenario.cluster.waitForOnline(scenario.truth(), on: [0, 1, 2])
    // And it stays so: nothing late undoes what was registered anew.
    await scenario.clients.listen(seconds: 7)
    try await scenario.cluster.waitForOnline(scenario.truth(), on: [0, 1, 2])
    // Who was nowhere else left and came back, as everybody elsewhere saw; nobody else did either.
    #expect(!leaving.isEmpty)
    try await scenario.clients.listen(for: "all who left are back") { clients in
      leaving.allSatisfy { room, user, witnesses in
        witnesses.allSatisfy { Self.comings(of: user, clients.heard($0, in: room)).suffix(2) == [false, true] }
      }
    }
    let left = Set(leaving.map { "\($0.room) \($0.user)" })
    #expect(scenario.heardLeaving(on: [0, 2]) == left)
    await scenario.talk(scenario.clients.clients.indices)
    try await scenario.waitForDelivery()
    #expect(scenario.violations().prefix(10) == [])
    #expect(scenario.clients.areAllOpen)
    await scenario.stop()
  }

  @Test func `a stopped node says goodbye to its clients and exits with 0`() async throws {
    let scenario = try await scenario(seed: 14)
    let own = scenario.clients.clients.indices.filter { scenario.clients.clients[$0].node == 0 }
    scenario.cluster.nodes[0].signal(SIGTERM)
    try await scenario.clients.listen(for: "all its clients are closed") { clients in
      own.allSatisfy { !clients.clients[$0].isOpen }
    }
    #expect(own.allSatisfy { scenario.clients.clients[$0].ending == .closed(code: 1_012) })
    #expect(await scenario.cluster.nodes[0].ended() == 0)
    try await scenario.cluster.waitForOnline(scenario.truth(without: [0]), on: [1, 2])
    await scenario.stop()
  }

  /// The user's joins (true) and leaves (false).
  private static func comings(of user: String, _ heard: [ClusterClients.Heard]) -> [Bool] {
    heard.compactMap {
      switch $0 {
      case .userJoined(user): true
      case .userLeft(user): false
      default: nil
      }
    }
  }

  private static func isResync(_ heard: ClusterClients.Heard) -> Bool {
    if case .resync(_, _, "epoch_changed") = heard { true } else { false }
  }

  private static func isMessage(_ heard: ClusterClients.Heard, _ wanted: String) -> Bool {
    if case .message(_, _, _, let content, _) = heard { content == wanted } else { false }
  }
}
