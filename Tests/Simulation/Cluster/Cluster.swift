import RealtimeCore
import RedisRelay

/// Nodes, clients and their Redis servers under one seed.
final class Cluster {
  let world: World
  let ledger: Ledger
  /// One, or several that rooms are spread over.
  let servers: [SimulatedServer]
  let rooms: [RoomName]
  private let homes: RoomSpread
  private(set) var nodes: [SimulatedNode] = []
  private(set) var clients: [SimulatedClient] = []
  private let secrets: SimulatedSecrets
  private let plan: Plan
  private var nodesMade = 0
  private var connectionsMade: UInt32 = 0

  init(seed: UInt64, plan: Plan, mutant: RedisMutant?) {
    world = World(seed: seed)
    let settings = (0..<plan.servers).map { Self.settings(node: "n", server: $0, plan: plan) }
    self.plan = plan
    ledger = Ledger(world: world, lease: Int64(settings[0].leaseMilliseconds), history: plan.history)
    servers = settings.enumerated().map { [world, ledger] in
      SimulatedServer(number: $0, world: world, settings: $1, ledger: ledger, mutant: mutant)
    }
    secrets = SimulatedSecrets(seed: seed)
    rooms = (0..<plan.rooms).map { RoomName("r\($0)")! }
    homes = RoomSpread(servers: plan.servers)
    for _ in 0..<plan.nodes { nodes.append(makeNode()) }
    for number in 0..<plan.clients {
      clients.append(SimulatedClient(number: number, user: number % plan.users, rooms: plan.rooms, cluster: self))
    }
    ledger.isSteady = { [weak self] user, room in self?.isSteady(user, in: room) ?? false }
    ledger.isLive = { [weak self] incarnation in
      self?.nodes.contains { $0.incarnation == incarnation && $0.phase == .running } ?? false
    }
    for client in clients { client.live(every: plan.pace) }
  }

  private static func settings(node: String, server: Int, plan: Plan) -> RedisRelayConfiguration {
    guard let url = try? RedisURL("redis://127.0.0.1:6379"),
      var settings = try? RedisRelayConfiguration(server: url, nodeID: node)
    else { preconditionFailure("the simulation's own settings are good") }
    settings.historyMessages = plan.history
    settings.topology = plan.topology
    (settings.serverNumber, settings.serverCount) = (server + 1, plan.servers)
    return settings
  }

  /// How a run is laid out; drawn from its seed.
  struct Plan {
    var nodes: Int
    var rooms: Int
    var users: Int
    var clients: Int
    /// Milliseconds between two acts of a client, on average.
    var pace: Int
    var history: Int
    /// Not drawn: a seed is the same run in both, as far as it can be.
    var topology = RelayTopology.broadcast
    /// Not drawn either. With several there are more rooms, so that each has some.
    var servers = 1 { didSet { rooms += servers - oldValue } }

    init(dice: inout Dice) {
      nodes = dice.roll(1...5)
      rooms = dice.roll(1...4)
      users = dice.roll(2...6)
      clients = users + dice.roll(0...4)
      pace = dice.pick([40, 150, 500, 1_500])!
      history = dice.pick([8, 30, 300])!
    }
  }

  var openNodes: [SimulatedNode] { nodes.filter(\.takesClients) }

  func nextConnectionID() -> ConnectionID {
    connectionsMade += 1
    return ConnectionID(shard: 0, generation: 1, slot: connectionsMade)
  }

  private func makeNode() -> SimulatedNode {
    nodesMade += 1
    let name = "n\(nodesMade)-\(world.dice.hexadecimal(4))"
    let settings = servers.map { Self.settings(node: name, server: $0.number, plan: plan) }
    return SimulatedNode(name: name, servers: servers, ledger: ledger, settings: settings, secrets: secrets)
  }

  /// The server that the room is on.
  func home(of room: Int) -> SimulatedServer { servers[homes.server(of: rooms[room])] }

  /// Another process takes the place of a dead one.
  func restart(_ number: Int) {
    guard !nodes[number].isAlive else { return }
    nodes[number] = makeNode()
    world.trace.note(nodes[number].name, "starts")
  }

  /// Whether a client of this user has been in the room for so long, on a node that was well all the time, that
  /// nobody may say he left.
  private func isSteady(_ user: Int, in room: Int) -> Bool {
    let long = ledger.lease + 4_000
    return clients.contains { client in
      guard client.user == user, client.phase == .open, let session = client.session, !session.isEnded else {
        return false
      }
      let node = session.node
      guard client.views[room].stage == .inside, world.now - client.views[room].since > long else { return false }
      return node.phase == .running && node.steadySince[home(of: room).number] < world.now - long
    }
  }

  /// Whether somebody came into the room on the node since then (ms).
  func hasEntrant(since time: Int64, room: Int, on node: SimulatedNode) -> Bool {
    (node.entries[rooms[room]] ?? -1_000) >= time - 5  // what is heard is some milliseconds old
  }

  /// Lets go of everything: what is planned holds what it is about.
  func end() {
    world.end()
    for node in nodes { node.kill() }
    for server in servers { server.redis.crash() }
    world.end()
    (nodes, clients) = ([], [])
  }
}
