import Buffers
import RealtimeCore
import RedisRelay
import Simulation

/// Simulated Redis servers, and relays over simulated wires to them, in the bench's simulated time.
final class SimulatedServers {
  private let world: World
  private let settings: [RedisRelayConfiguration]
  let servers: [SimulatedRedis]
  private var networks: [Network] = []

  /// - Parameter count: rooms are spread over so many.
  init(world: World, count: Int = 1, history: Int = 300, topology: RelayTopology = .broadcast) throws {
    self.world = world
    var settings: [RedisRelayConfiguration] = []
    for number in 1...count {
      var one = try RedisRelayConfiguration(server: RedisURL("redis://127.0.0.1:6379"), nodeID: "n1")
      (one.historyMessages, one.topology) = (history, topology)
      (one.serverNumber, one.serverCount) = (number, count)
      settings.append(one)
    }
    self.settings = settings
    servers = settings.map { SimulatedRedis(world: world, settings: $0) }
    networks = servers.map { Network(world: world, redis: $0) }
  }

  private final class Bell {
    weak var node: BenchNode?
  }

  func add(to bench: RelayBench) -> BenchNode {
    let (bell, clock, secrets) = (Bell(), world.clock, SimulatedSecrets(seed: 1))
    let surroundings = RelaySurroundings(
      secret: { secrets.hexadecimal($0) }, wallClock: { clock.wall }, wake: {})
    func relay(_ number: Int) -> RedisRelay {
      func wire(_ name: String, _ place: Int) -> SimulatedWire {
        SimulatedWire(network: networks[number], name: name) { bell.node?.rings.append((place, $0)) }
      }
      return RedisRelay(
        configuration: settings[number], command: wire("cmd", 2 * number), subscriber: wire("sub", 2 * number + 1),
        surroundings: surroundings, seed: UInt64(number + 1))
    }
    let node: BenchNode
    if settings.count == 1 {
      node = bench.add(NodeRelay(relay(0)))
    } else {
      var parts = Slab<RedisRelay>()
      for number in settings.indices { _ = parts.insert(relay(number)) }
      node = bench.add(NodeRelay(SpreadRelay(parts, secret: surroundings.secret)))
    }
    bell.node = node
    return node
  }
}
