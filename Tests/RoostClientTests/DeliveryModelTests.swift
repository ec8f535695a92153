import RoostTesting
import Testing

@testable import RoostClient

/// The core against the model of a server: whatever the network does, everything arrives once and in order.
@Suite("client: delivery under a seed") struct DeliveryModelTests {
  /// Joins, then lets chance act for a while, then lets everything come to rest.
  private func run(_ seed: UInt64, waitingEvents: Int) -> (world: ClientWorld, isSettled: Bool) {
    var world = ClientWorld(seed: seed) { $0.waitingEvents = waitingEvents }
    (world.server.limited, world.server.unknown, world.server.recovery) = (5, 5, 10_000)
    let joined = world.call(.join(room: "r", history: 0, since: nil))
    _ = world.connect()
    world.isCalm = true
    while world.answers[joined] == nil {
      world.deliverToServer()
      world.deliverToClient()
      world.pass(5)
    }
    world.isCalm = false
    for _ in 0..<600 {
      switch Int.random(in: 0..<100, using: &world.chance) {
      case 0..<20: world.othersSay()
      case 20..<32: world.say()
      case 32..<60: world.deliverToServer()
      case 60..<85: world.deliverToClient()
      case 85..<92: world.listen(Int.random(in: 1...20, using: &world.chance))
      case 92..<97: world.pass(Int64.random(in: 1...400, using: &world.chance))
      default: world.cut()
      }
    }
    world.isCalm = true
    let isSettled = world.settle()
    return (world, isSettled)
  }

  private func check(_ seed: UInt64, waitingEvents: Int) {
    let (world, isSettled) = run(seed, waitingEvents: waitingEvents)
    #expect(isSettled, "seed \(seed) does not come to rest")
    let others = world.server.log.filter { $0.clientID == nil }
    #expect(world.messages.map(\.content) == others.map(\.content), "seed \(seed): lost, doubled or out of order")
    #expect(world.answeredTwice == 0, "seed \(seed)")
    for (ticket, content) in world.sent {
      let stored = world.server.log.filter { $0.content == content }
      #expect(stored.count == 1, "seed \(seed): \(content) is stored \(stored.count) times")
      #expect(world.receipt(ticket)?.offset == stored.first?.offset, "seed \(seed): \(content)")
    }
    #expect(world.count { if case .missed = $0 { true } else { false } } == 0, "seed \(seed)")
    #expect(world.core.rooms["r"]?.position?.offset == world.server.log.count, "seed \(seed)")
  }

  @Test func `nothing is lost or doubled`() { for seed in 1...150 { check(UInt64(seed), waitingEvents: 100_000) } }

  @Test func `nothing is lost or doubled when nobody listens for long`() {
    for seed in 1_001...1_100 { check(UInt64(seed), waitingEvents: 16) }
  }

  @Test func `the runs meet what they are for`() {
    let (world, _) = run(7, waitingEvents: 16)
    #expect(world.connections > 3)
    #expect(world.sent.count > 20)
    #expect(world.server.messagesReceived > world.sent.count, "nothing was sent again")
    #expect(world.count { if case .rejoined = $0 { true } else { false } } > 2)
  }
}
