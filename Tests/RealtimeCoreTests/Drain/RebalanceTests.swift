import RealtimeCore
import RoostTesting
import Testing

@Suite struct RebalanceTests {
  /// Looks every two seconds at the same picture; what was decided each time.
  private func decisions(
    _ rebalance: inout Rebalance, _ look: Rebalance.Look, times: Int, from start: Int64 = 0
  ) -> [Int] {
    (0..<times).map { rebalance.look(look, now: start + Int64($0) * 2_000) }
  }

  @Test(arguments: [
    // not over the threshold; over it, and too few to matter; alone; one of several drains
    Rebalance.Look(own: 1_190, others: [1_000, 1_000, 810]),
    Rebalance.Look(own: 60, others: [0, 0]),
    Rebalance.Look(own: 5_000, others: []),
    Rebalance.Look(own: 1_000, others: [0, 0], somebodyDrains: true),
    Rebalance.Look(own: 0, others: [1_000, 1_000]),
  ])
  func `a node that is not well above the mean keeps its clients`(look: Rebalance.Look) {
    var rebalance = Rebalance(.init(threshold: 20, least: 50, perSecond: 20))
    #expect(decisions(&rebalance, look, times: 50).allSatisfy { $0 == 0 })
  }

  @Test func `it begins when three looks agree, and never faster than it may`() {
    var rebalance = Rebalance(.init(threshold: 20, least: 50, perSecond: 20))
    let all = decisions(&rebalance, .init(own: 1_000, others: [0, 0]), times: 6)
    #expect(all.prefix(3) == [0, 0, 0], "the first has nothing to be compared with")
    #expect(all.dropFirst(3).allSatisfy { $0 == 40 })
  }

  @Test func `a node that comes or goes starts the count anew, and so do counts that are old`() {
    var rebalance = Rebalance(.init())
    let look = Rebalance.Look(own: 1_000, others: [0, 0])
    #expect(decisions(&rebalance, look, times: 3) == [0, 0, 0])
    #expect(rebalance.look(.init(own: 1_000, others: [0, 0, 0]), now: 6_000) == 0)
    #expect(rebalance.look(.init(own: 1_000, others: [0, 0, 0]), now: 8_000) == 0)
    #expect(rebalance.look(.init(own: 1_000, others: [0, 0, 0]), now: 10_000) > 0)
    #expect(rebalance.look(.init(own: 1_000, others: [0, 0, 0]), now: 20_000) == 0, "ten seconds without a word")
    rebalance.goBlind()
    #expect(decisions(&rebalance, look, times: 3, from: 22_000) == [0, 0, 0])
    #expect(rebalance.look(look, now: 28_000) > 0)
  }

  @Test func `it does not go on for ever when nothing comes of it`() {
    var rebalance = Rebalance(.init(perSecond: 100))
    let all = decisions(&rebalance, .init(own: 1_000, others: [0, 0]), times: 1_000)
    let sent = all.reduce(0, +)
    // Twice what is too much each time, with rests that double: at most six times in half an hour.
    #expect(sent > 1_300 && sent < 6 * (2 * 667 + 200), "\(sent)")
    #expect(all.suffix(200).count { $0 > 0 } < 20)
  }

  @Test func `numbers that no node has stop nothing`() {
    var rebalance = Rebalance(.init())
    let look = Rebalance.Look(own: 10_000_000, others: Array(repeating: 10_000_000, count: 2_000))
    #expect(decisions(&rebalance, look, times: 5) == [0, 0, 0, 0, 0])
  }

  /// Nodes that each decide by themselves behind a balancer that gives a client to whoever has least.
  private struct Town {
    struct Node {
      var connections: Int
      /// As the last heartbeat told it.
      var told = 0
      /// Must go within the next two seconds.
      var leaving = 0
      var rebalance: Rebalance
      var sent = 0
      var lowest: Int
    }

    var nodes: [Node]
    var onTheWay: [Int] = []
    var random: SeededGenerator
    var now: Int64 = 0

    init(_ counts: [Int], rules: Rebalance.Rules, seed: UInt64) {
      nodes = counts.map { Node(connections: $0, told: $0, rebalance: Rebalance(rules), lowest: $0) }
      random = SeededGenerator(seed: seed)
    }

    var total: Int { nodes.reduce(0) { $0 + $1.connections } + onTheWay.count }

    /// A second: those who must go do, come back after up to two seconds; every node beats every other second.
    mutating func pass() {
      now += 1_000
      for index in nodes.indices {
        let going = min(nodes[index].connections, (nodes[index].leaving + 1) / 2)
        nodes[index].connections -= going
        nodes[index].leaving -= going
        onTheWay += (0..<going).map { _ in Int.random(in: 0...2, using: &random) }
        nodes[index].lowest = min(nodes[index].lowest, nodes[index].connections)
      }
      var rest: [Int] = []
      for wait in onTheWay {
        guard wait == 0 else {
          rest.append(wait - 1)
          continue
        }
        let least = nodes.indices.min { nodes[$0].connections < nodes[$1].connections }!
        nodes[least].connections += 1
      }
      onTheWay = rest
      for index in nodes.indices where (now / 1_000 + Int64(index)) % 2 == 0 { beat(index) }
    }

    private mutating func beat(_ index: Int) {
      nodes[index].told = nodes[index].connections
      let others = nodes.indices.filter { $0 != index }.map { nodes[$0].told }
      let count = nodes[index].rebalance.look(.init(own: nodes[index].connections, others: others), now: now)
      nodes[index].leaving += count
      nodes[index].sent += count
    }
  }

  @Test(arguments: [UInt64](1...30))
  func `after a scale-out nodes come near the mean, none falls below it, and then all is quiet`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let (old, new) = (Int.random(in: 1...8, using: &random), Int.random(in: 1...4, using: &random))
    let counts = (0..<old).map { _ in Int.random(in: 500...3_000, using: &random) } + Array(repeating: 0, count: new)
    let rules = Rebalance.Rules(threshold: 20, least: 50, perSecond: Int.random(in: 5...100, using: &random))
    var town = Town(counts, rules: rules, seed: seed)
    let (total, mean) = (town.total, town.total / counts.count)
    for _ in 0..<3_600 { town.pass() }
    #expect(town.total == total)
    for (node, before) in zip(town.nodes, counts) {
      #expect(node.connections <= max(mean * 120 / 100 + 2, mean + 50), "\(town.nodes.map(\.connections))")
      // Not below the mean because of what it sent away; who had less before may have it still.
      #expect(node.lowest >= min(before, mean), "\(node.lowest) of \(mean)")
    }
    let moved = town.nodes.reduce(0) { $0 + $1.sent }
    let excess = counts.reduce(0) { $0 + max(0, $1 - mean) }
    #expect(moved <= excess + 50 * counts.count, "\(moved) moved for \(excess)")
    let quiet = town.nodes.map(\.sent)
    for _ in 0..<3_600 { town.pass() }
    #expect(town.nodes.map(\.sent) == quiet, "nobody is passed back and forth")
  }
}
