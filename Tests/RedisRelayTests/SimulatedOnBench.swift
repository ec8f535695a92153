import EventLoops
import RealtimeCore
import RedisRelay
import RoostTesting
import Simulation
import Testing

/// The Redis relay over simulated wires to a simulated Redis, in the bench's simulated time.
final class SimulatedOnBench: RelayOnBench {
  private final class Doorbell {
    var rings: [(line: RedisRelay.Line, isReadable: Bool)] = []
  }

  var relay: RedisRelay
  let tokens: [UInt64] = []
  private let world: World
  private let network: Network
  private let doorbell = Doorbell()

  init(world: World, history: Int, topology: RelayTopology = .broadcast) throws {
    self.world = world
    var settings = try RedisRelayConfiguration(server: RedisURL("redis://127.0.0.1:6379"), nodeID: "n1")
    settings.historyMessages = history
    settings.topology = topology
    network = Network(world: world, redis: SimulatedRedis(world: world, settings: settings))
    let (clock, secrets, doorbell) = (world.clock, SimulatedSecrets(seed: 1), doorbell)
    relay = RedisRelay(
      configuration: settings,
      command: SimulatedWire(network: network, name: "cmd") { doorbell.rings.append((.command, $0)) },
      subscriber: SimulatedWire(network: network, name: "sub") { doorbell.rings.append((.subscriber, $0)) },
      surroundings: RelaySurroundings(
        secret: { secrets.hexadecimal($0) }, wallClock: { clock.wall }, wake: {}), seed: 1)
    relay.start(now: world.now)
  }

  func submit(_ request: RelayRequest, ticket: RelayTicket) {
    relay.advance(to: world.now)
    relay.submit(request, ticket: ticket)
  }

  func follow(_ room: RoomName) { relay.follow(room) }
  func unfollow(_ room: RoomName) {
    relay.advance(to: world.now)
    relay.unfollow(room)
  }
  func takeEvents(into events: inout [RelayEvent]) { relay.takeEvents(into: &events) }
  func ready(_ event: EventBuffer.Event, now: Int64) {}

  func tick(now: Int64) {
    let rings = doorbell.rings
    doorbell.rings = []
    for ring in rings { relay.ready(ring.line, isReadable: ring.isReadable, now: now) }
    relay.tick(now: now)
  }

  var nextDeadline: Int64 { relay.nextDeadline }
  func stop() { relay.stop() }
  func takeNotices() -> [String] { relay.takeNotices() }
}

@Suite struct SimulatedRelayTests {
  @Test func `what is asked after an idle second waits from then on, and not since the last turn`() throws {
    let world = World(seed: 1)
    let relay = try SimulatedOnBench(world: world, history: 300)
    var events: [RelayEvent] = []
    while relay.relay.state != .connected {
      world.run(for: 1_000)
      relay.tick(now: world.now)
    }
    relay.takeEvents(into: &events)
    events = []
    world.run(for: 1_000_000)  // nobody takes a turn meanwhile
    relay.submit(.online, ticket: 1)
    relay.tick(now: world.now)
    relay.takeEvents(into: &events)
    #expect(events.isEmpty, "the question must still be on its way")
    world.run(for: 10_000)
    relay.tick(now: world.now)
    relay.takeEvents(into: &events)
    let isAnswered = events.contains { if case .reply(1, .online) = $0 { true } else { false } }
    #expect(isAnswered)
  }
}
