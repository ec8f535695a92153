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
  private let world: World
  private let pace: Int
  private(set) var isOver = false
  private var awaySince: Int64 = 0
  private var hasSteppedBack = false

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
    network.slowest = 400
    if redis.isDown { startRedis(.everything) }
    resumeRedis()
    redis.refusal = nil
    noteAbsence()
    for (number, node) in cluster.nodes.enumerated() {
      node.resume()
      if node.phase == .draining { node.kill() }
      if !node.isAlive { cluster.restart(number) }
    }
  }

  private var redis: SimulatedRedis { cluster.redis }
  private var network: Network { cluster.network }

  private func happen(_ fault: Fault) {
    cluster.ledger.count(\.faults)
    switch fault {
    case .cutCommand: link(\.command)?.cut()
    case .cutSubscriber: link(\.subscriber)?.cut()
    case .halfOpen: vanish(world.dice.chance(50) ? \.command : \.subscriber)
    case .deaf: deafen()
    case .delays: delay()
    case .redisRestart: restartRedis()
    case .redisPause: pauseRedis()
    case .failover: failover()
    case .flushAll: flushAll()
    case .flushScripts: note("SCRIPT FLUSH"); redis.flushScripts()
    case .refusal: refuse()
    case .eviction: evict()
    case .kill: kill()
    case .pause: pauseNode()
    case .drain: drain()
    case .clockStep: stepClock()
    case .revocation: revoke()
    }
  }

  private func note(_ what: String) { world.trace.note("fault", what) }

  private func later(_ milliseconds: Int, _ run: @escaping (Faults) -> Void) {
    world.after(Int64(milliseconds) * 1_000) { [weak self] in
      if let self, !isOver { run(self) }
    }
  }

  // MARK: Network

  private func link(_ wire: KeyPath<SimulatedNode, SimulatedWire>) -> Link? {
    world.dice.pick(cluster.nodes.filter(\.isAlive))?[keyPath: wire].link
  }

  private func vanish(_ wire: KeyPath<SimulatedNode, SimulatedWire>) {
    guard let link = link(wire) else { return }
    note("connection \(link.number) (\(link.name)) is half open")
    link.isHalfOpen = true
  }

  private func deafen() {
    guard let link = link(\.subscriber) else { return }
    note("connection \(link.number) (\(link.name)) is deaf")
    link.isDeaf = true
  }

  private func delay() {
    network.slowest = world.dice.pick([5_000, 50_000, 300_000])!
    note("everything takes up to \(network.slowest / 1_000) ms")
    later(world.dice.roll(50...3_000)) { $0.network.slowest = 400 }
  }

  // MARK: Redis

  /// Leases may have ended, or begun anew, whatever their nodes did.
  private func noteAbsence() { cluster.ledger.lastAbsence = world.now }

  /// Redis was away since then and comes back with its leases: after two intervals all of them must begin anew.
  private func noteReturn(since start: Int64) {
    noteAbsence()
    if world.now - start > 4_100 { cluster.ledger.amnestyDue = world.now }
  }

  private func restartRedis() {
    guard !redis.isDown else { return }
    note("Redis ends")
    redis.crash()
    let remains = world.dice.pick(SimulatedRedis.Remains.allCases)!
    awaySince = world.now
    later(world.dice.pick([1, 50, 300, 2_000, 9_000])!) { $0.startRedis(remains) }
  }

  private func startRedis(_ remains: SimulatedRedis.Remains) {
    guard redis.isDown else { return }
    note("Redis begins with \(remains)")
    redis.start(with: remains, isSameHistory: world.dice.chance(50))
    noteReturn(since: awaySince)
  }

  private func failover() {
    guard !redis.isDown else { return }
    note("a replica that lags takes over")
    redis.crash()
    redis.start(with: .lostTail, isSameHistory: false)
    noteAbsence()
  }

  private func pauseRedis() {
    guard !redis.isPaused, !redis.isDown else { return }
    let time = world.dice.pick([200, 1_000, 5_000, 30_000])!
    note("Redis pauses for \(time) ms")
    redis.pause()
    awaySince = world.now
    later(time) { $0.resumeRedis() }
  }

  private func resumeRedis() {
    guard redis.isPaused else { return }
    note("Redis goes on")
    noteReturn(since: awaySince)
    redis.resume()
  }

  private func flushAll() {
    note("FLUSHALL")
    redis.flushAll()
    noteAbsence()
  }

  private func refuse() {
    let words =
      world.dice.chance(50) ? "OOM command not allowed" : "READONLY You can't write against a read only replica."
    note("Redis refuses: \(words)")
    redis.refusal = words
    later(world.dice.roll(50...7_000)) {
      $0.redis.refusal = nil
      $0.noteAbsence()
    }
  }

  private func evict() {
    guard let room = world.dice.pick(cluster.rooms) else { return }
    note("keys of \(room.text) are evicted")
    redis.evict(room.text)
    // With the room's keys goes its presence version, and a clock that is behind begins it anew below the old one.
    if hasSteppedBack { cluster.ledger.unversioned.insert(room.text) }
    cluster.ledger.digestsLostAt = world.now
  }

  private func stepClock() {
    let step = world.dice.pick([-3_600_000, -10_000, -1_000, 1_000, 10_000, 100_000])!
    let isRedis = world.dice.chance(70)
    note("the clock of \(isRedis ? "Redis" : "the nodes") is stepped by \(step) ms")
    // Digests are found by the time of their storing: back over the edge of a bucket, or far ahead, they are not.
    if step < 0 {  // Redis' clock goes by the nodes', with an offset of its own.
      hasSteppedBack = true
      // The presence version of a room without keys begins anew behind where it was.
      let evicted = cluster.rooms.map(\.text).filter { redis.data.metas[$0]?.version == nil }
      cluster.ledger.unversioned.formUnion(evicted)
    }
    if step < 0 || step > 60_000 { cluster.ledger.digestsLostAt = world.now }
    if isRedis { redis.clockOffset += step } else { world.clock.stepWall(by: Int64(step)) }
    noteAbsence()
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
