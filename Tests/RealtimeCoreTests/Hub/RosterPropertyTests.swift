import RealtimeCore
import RoostTesting
import Testing

/// Random comings and goings on a few nodes that miss frames, are reaped in their sleep and lose their relay: when all
/// is quiet every member knows exactly who is there, and never was told what contradicts what he knew.
@Suite struct RosterPropertyTests {
  @Test(arguments: 0..<UInt64(400))
  func `every member's view is the room`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let cluster = HubCluster(nodes: Int.random(in: 2...3, using: &random))
    var world = World(cluster: cluster, nodes: cluster.nodeCount)
    for _ in 0..<4 {
      for _ in 0..<60 { world.step(&random) }
      world.calm()
      world.check(seed)
    }
  }

  private struct World {
    let cluster: HubCluster
    let nodes: Int
    var members: [HubCluster.Member] = []
    var users: [HubCluster.Member: String] = [:]
    var nextSlot: UInt32 = 0
    var away: Set<Int> = []
    var deaf: Set<Int> = []

    mutating func step(_ random: inout SeededGenerator) {
      let node = Int.random(in: 0..<nodes, using: &random)
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<25: join("u\(Int.random(in: 0..<6, using: &random))", on: node)
      case 25..<35: if let member = take(&random) { cluster.leave(member) }
      case 35..<45: if let member = take(&random) { cluster.lose(member, Bool.random(using: &random) ? .lost : .left) }
      case 45..<75:
        cluster.deliver(
          node, frames: Bool.random(using: &random), limit: Int.random(in: 1...4, using: &random))
      case 75..<88: cluster.pass(Int64.random(in: 1...900, using: &random))
      case 88..<91: cut(node)
      case 91..<96: resubscribe(node)
      case 96..<97: cluster.reap(node)
      case 97..<98: lose()
      default: meet(node)
      }
    }

    mutating func join(_ user: String, on node: Int) {
      let member = cluster.join(nextSlot, user, on: node)
      nextSlot += 1
      members.append(member)
      users[member] = user
    }

    /// Somebody who goes now.
    mutating func take(_ random: inout SeededGenerator) -> HubCluster.Member? {
      guard !members.isEmpty else { return nil }
      return members.remove(at: Int.random(in: 0..<members.count, using: &random))
    }

    mutating func lose() {
      cluster.loseRelay()
      away = Set(0..<nodes)
    }

    mutating func meet(_ node: Int) {
      if away.remove(node) != nil { cluster.meetGeneration(node) }
    }

    mutating func cut(_ node: Int) {
      deaf.insert(node)
      cluster.cut(node)
    }

    mutating func resubscribe(_ node: Int) {
      deaf.remove(node)
      cluster.resubscribe(node)
    }

    /// Faults end, and nothing else happens that would make up for what was done wrong.
    mutating func calm() {
      for node in 0..<nodes {
        meet(node)
        if deaf.contains(node) { resubscribe(node) }
      }
      cluster.advance(15_000, step: 250)
    }

    func check(_ seed: UInt64) {
      // Whose joining took too long was told so and is no member.
      let there = members.filter { cluster.views[$0] != nil }
      let truth = Set(there.compactMap { users[$0] })
      #expect(Set(cluster.relay.users(of: cluster.room)) == truth, "seed \(seed)")
      for member in there {
        #expect(cluster.views[member]?.users == truth, "seed \(seed): \(member)")
        #expect(cluster.views[member]?.contradictions == [], "seed \(seed): \(member)")
      }
    }
  }
}
