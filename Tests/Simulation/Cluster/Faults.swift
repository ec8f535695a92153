import RealtimeCore

/// What goes wrong in a run: one fault after the other, often several at once. Each mends itself after a while.
final class Faults {
  enum Fault: CaseIterable {
    case cutCommand, cutSubscriber, delays, halfOpen, deaf
    case redisRestart, redisPause, failover, flushAll, flushScripts, refusal, eviction
    case kill, pause, drain, clockStep
    case revocation
  }

  let cluster: Cluster
  let world: World
  private let pace: Int
  private(set) var isOver = false
  var hasSteppedBack = false

  init(cluster: Cluster, pace: Int) { (self.cluster, self.pace, world) = (cluster, pace, cluster.world) }

  /// Begins one fault after the other.
  func begin() {
    world.after(Int64(world.dice.roll(1...2 * pace)) * 1_000) { [weak self] in
      guard let self, !isOver else { return }
      happen(world.dice.pick(Fault.allCases)!)
      begin()
    }
  }

  /// All faults end; what is dead starts again.
  func mend() {
    isOver = true
    for server in cluster.servers { mend(server) }
    for (number, node) in cluster.nodes.enumerated() {
      node.resume()
      if node.phase == .draining { node.kill() }
      if !node.isAlive { cluster.restart(number) }
    }
  }

  /// One of several servers, at times all of them.
  var struck: [SimulatedServer] {
    let servers = cluster.servers
    return servers.count == 1 || world.dice.chance(20) ? servers : [world.dice.pick(servers)!]
  }

  private func happen(_ fault: Fault) {
    cluster.ledger.count(\.faults)
    switch fault {
    case .cutCommand: for link in links(\.command) { link.cut() }
    case .cutSubscriber: for link in links(\.subscriber) { link.cut() }
    case .halfOpen: vanish(world.dice.chance(50) ? \.command : \.subscriber)
    case .deaf: deafen()
    case .delays: for server in struck { delay(server) }
    case .redisRestart: for server in struck { restart(server) }
    case .redisPause: for server in struck { pause(server) }
    case .failover: for server in struck { failover(server) }
    case .flushAll: for server in struck { flushAll(server) }
    case .flushScripts: for server in struck { flushScripts(server) }
    case .refusal: for server in struck { refuse(server) }
    case .eviction: evict()
    case .kill: kill()
    case .pause: pauseNode()
    case .drain: drain()
    case .clockStep: stepClock()
    case .revocation: revoke()
    }
  }

  func note(_ what: String) { world.trace.note("fault", what) }

  func later(_ milliseconds: Int, _ run: @escaping (Faults) -> Void) {
    world.after(Int64(milliseconds) * 1_000) { [weak self] in
      if let self, !isOver { run(self) }
    }
  }

  // MARK: Network

  /// One node's connection to a server, or those to all.
  private func links(_ wire: KeyPath<SimulatedNode.Wires, SimulatedWire>) -> [Link] {
    guard let node = world.dice.pick(cluster.nodes.filter(\.isAlive)) else { return [] }
    return struck.compactMap { node.wires[$0.number][keyPath: wire].link }
  }

  private func vanish(_ wire: KeyPath<SimulatedNode.Wires, SimulatedWire>) {
    for link in links(wire) {
      note("connection \(link.number) (\(link.name)) is half open")
      link.isHalfOpen = true
    }
  }

  private func deafen() {
    for link in links(\.subscriber) {
      note("connection \(link.number) (\(link.name)) is deaf")
      link.isDeaf = true
    }
  }

  private func delay(_ server: SimulatedServer) {
    server.network.slowest = world.dice.pick([5_000, 50_000, 300_000])!
    note("everything\(of(server)) takes up to \(server.network.slowest / 1_000) ms")
    later(world.dice.roll(50...3_000)) { _ in server.network.slowest = 400 }
  }

  // MARK: Tokens

  private func revoke() {
    guard let client = world.dice.pick(cluster.clients),
      let node = world.dice.pick(cluster.nodes.filter { $0.phase == .running })
    else { return }
    let tokens = cluster.ledger.tokens
    let isUser = world.dice.chance(30)
    guard let revocation = isUser ? tokens.revoke(user: client.user) : tokens.revoke(client.token) else { return }
    note("\(isUser ? "all tokens of u\(client.user)" : "token \(client.token)") revoked at \(node.name)")
    cluster.ledger.count(\.revocations)
    node.revoke(revocation)
  }

  // MARK: Nodes

  private func kill() {
    guard let number = world.dice.pick(Array(cluster.nodes.indices)) else { return }
    cluster.nodes[number].kill()
    later(world.dice.pick([20, 500, 4_000, 12_000])!) { $0.cluster.restart(number) }
  }

  private func pauseNode() {
    guard let node = world.dice.pick(cluster.openNodes) else { return }
    node.pause()
    later(world.dice.pick([300, 3_000, 9_000, 60_000])!) { _ in node.resume() }
  }

  private func drain() {
    guard let number = world.dice.pick(Array(cluster.nodes.indices)) else { return }
    let window = Int64(world.dice.roll(0...3_000))
    let node = cluster.nodes[number]
    node.drain(window: window)
    restart(number, after: node, in: Int(window) + world.dice.roll(600...3_000))
  }

  /// Starts a node in the place of one that drains, once that has ended.
  private func restart(_ number: Int, after node: SimulatedNode, in milliseconds: Int) {
    later(milliseconds) { faults in
      guard faults.cluster.nodes[number] === node else { return }
      if node.phase == .draining { return faults.restart(number, after: node, in: 500) }
      faults.cluster.restart(number)
    }
  }
}
