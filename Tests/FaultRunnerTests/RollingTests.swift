import FaultRunner
import LoadGenerator
import Testing

/// What a rolling restart is judged by: each thing that may be wrong with a drain is said, and nothing else.
@Suite struct RollingTests {
  private let rules = NodeDrain.Rules(wait: 1, window: 3)

  private func drain(connections: Int = 100, seconds: Double = 2.6, refused: Int = 0, leftLease: Bool = false)
    -> NodeDrain
  {
    NodeDrain(connections: connections, seconds: seconds, refused: refused, leftLease: leftLease)
  }

  @Test func `drains as they should be`() {
    #expect(NodeDrain.problems([], rules).isEmpty)
    #expect(NodeDrain.problems([drain(), drain(connections: 400, seconds: 4.6)], rules).isEmpty)
    // The slower the machine, the longer.
    #expect(NodeDrain.problems([drain(seconds: 25)], rules).isEmpty)
  }

  @Test func `clients that went all at once`() {
    let problems = NodeDrain.problems([drain(), drain(seconds: 1.6)], rules)
    #expect(problems == ["node 1 was gone after 1.6 s: 100 clients went all at once"])
    // Few have no pace.
    #expect(NodeDrain.problems([drain(connections: 12, seconds: 1.5)], rules).isEmpty)
  }

  @Test func `clients that were sent to nodes that drained`() {
    let problems = NodeDrain.problems([drain(refused: 51), drain(refused: 300)], rules)
    #expect(problems == ["nodes that drained were given new clients and refused them: 51, 300"])
    // A health check may be late once.
    #expect(NodeDrain.problems([drain(refused: 300), drain(refused: 3)], rules).isEmpty)
  }

  @Test func `nodes that still counted`() {
    #expect(NodeDrain.problems([drain(leftLease: true)], rules) == ["nodes that were gone still counted"])
    #expect(NodeDrain.problems([drain(leftLease: true), drain()], rules).isEmpty)
  }

  @Test func `farewells as they should be`() {
    var farewells = Farewells()
    for wait in 0..<30 {
      farewells.told(toWait: Int64(wait) * 30)
      farewells.ended(.closed(code: 1_012), wasTold: true)
    }
    // Whom a node lost otherwise is judged elsewhere.
    farewells.ended(.closed(code: 1_001), wasTold: false)
    #expect(farewells.problems(spread: 1_000).isEmpty)
  }

  @Test func `clients that were not told`() {
    var farewells = Farewells()
    farewells.ended(.closed(code: 1_012), wasTold: false)
    #expect(farewells.problems(spread: 1_000) == ["1 clients were closed with 1012 and not told before"])
  }

  @Test func `clients that were all told the same, or too long a wait`() {
    var same = Farewells()
    for _ in 0..<20 { same.told(toWait: 500) }
    #expect(same.problems(spread: 1_000) == ["20 clients were all told to wait for 500 to 500 ms"])
    var long = Farewells()
    long.told(toWait: 1_001)
    #expect(long.problems(spread: 1_000) == ["clients were told to wait for 1001 ms, more than 1000"])
  }
}
