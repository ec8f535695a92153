import Foundation
import Glibc
import RoostTesting
import Testing

@Suite("cluster delivery", .serialized, .timeLimit(.minutes(20)))
struct DeliveryTests {
  @Test(arguments: ClusterSeeds.all)
  func `every member gets the same messages in the same order`(seed: UInt64) async throws {
    let scenario = try await ClusterScenario(seed: seed)
    try await scenario.gather(connections: 300)
    try await scenario.fill(rooms: 50)
    for _ in 0..<8 {
      await scenario.talk(scenario.clients.clients.indices)
      await scenario.clients.listen(seconds: 0.05)
    }
    try await scenario.waitForDelivery()

    #expect(scenario.said.values.joined().count == 2_400)
    #expect(scenario.violations().prefix(10) == [])
    #expect(scenario.clients.unreadable.prefix(3) == [])
    #expect(scenario.clients.clients.allSatisfy { $0.errors.isEmpty && $0.isOpen })
    #expect(scenario.heardLeaving() == [])
    try await scenario.cluster.waitForOnline(scenario.truth(), on: [0, 1, 2])
    await scenario.stop()
  }

  @Test func `what other programs publish reaches members, garbage does not`() async throws {
    let scenario = try await ClusterScenario(seed: 2)
    for node in 0..<3 { await scenario.open("user-\(node)", on: node) }
    try await scenario.clients.waitUntilOpen()
    for client in 0..<3 { await scenario.join(client, "general") }
    try await scenario.clients.listen(for: "all are in") { clients in
      clients.clients.allSatisfy { $0.rooms["general"] != nil }
    }

    let redis = scenario.cluster.redis
    let garbage = [
      "", "{", "nonsense", "[]", #"{"type":"new_message"}"#, #"{"type":"new_message","room":"general"}{}"#,
      #"{"type":"user_left","room":"general","payload":{"id":"user-1"},"sender":{"id":"user-1","name":"x"}}"#,
      #"{"type":"new_message","room":"general","offset":1,"epoch":"x","payload":{"content":"forged"}}"#,
      String(repeating: "[", count: 5_000),
    ]
    let bad = Double(garbage.count - 1)
    for text in garbage { try redis.ask("PUBLISH", "ws:broadcast", text) }
    try redis.ask(
      "PUBLISH", "ws:broadcast", #"{"type":"new_message","room":"general","payload":{"content":"hi"}}"#)
    try await scenario.clients.listen(for: "the good one came everywhere") { clients in
      clients.count(in: "general", of: 0..<3) { Self.isMessage($0, "hi") } == 3
    }
    await scenario.talk(0..<3)
    try await scenario.waitForDelivery()

    for client in 0..<3 {
      let heard = scenario.clients.heard(client, in: "general")
      #expect(!heard.contains { if case .userLeft = $0 { true } else { false } })
      for case .message(let offset, _, _, let content, _) in heard where content == "hi" || content == "forged" {
        #expect(offset == nil, "what strangers publish has no number")
      }
    }
    #expect(scenario.violations() == [])
    // The one that only claims to be numbered is a stranger's message like the good one; the rest is garbage.
    for (series, value) in [("roost_relay_foreign_frames_total", 2.0), ("roost_relay_bad_frames_total", bad)] {
      var seen: Double?
      try? await ClusterUnderTest.eventually(series, seconds: 60) {
        seen = scenario.cluster.metric(series, of: 0)
        return seen == value
      }
      #expect(seen == value, "\(series)")
    }
    await scenario.stop()
  }

  private static func isMessage(_ heard: ClusterClients.Heard, _ wanted: String) -> Bool {
    if case .message(_, _, _, let content, _) = heard { content == wanted } else { false }
  }
}

/// Seeds that a run uses: `ROOST_SEED`, or always the same.
enum ClusterSeeds {
  static var all: [UInt64] {
    if let text = unsafe getenv("ROOST_SEED"), let seed = UInt64(unsafe String(cString: text)) { return [seed] }
    return [1]
  }
}
