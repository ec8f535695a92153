import RealtimeCore

/// What goes wrong with Redis servers.
extension Faults {
  /// Which of several, in words.
  func of(_ server: SimulatedServer) -> String { cluster.servers.count == 1 ? "" : " of server \(server.number)" }

  /// All is well with it from now on.
  func mend(_ server: SimulatedServer) {
    server.network.slowest = 400
    if server.redis.isDown { start(server, .everything) }
    resume(server)
    server.redis.refusal = nil
    noteAbsence(server)
  }

  /// Leases may have ended, or begun anew, whatever their nodes did.
  private func noteAbsence(_ server: SimulatedServer) { server.leases.lastAbsence = world.now }

  /// Redis was away and comes back with its leases: after two intervals all of them must begin anew.
  private func noteReturn(_ server: SimulatedServer) {
    noteAbsence(server)
    if world.now - server.awaySince > 4_100 { server.leases.amnestyDue = world.now }
  }

  func restart(_ server: SimulatedServer) {
    guard !server.redis.isDown else { return }
    note("Redis\(of(server)) ends")
    server.redis.crash()
    let remains = world.dice.pick(SimulatedRedis.Remains.allCases)!
    server.awaySince = world.now
    later(world.dice.pick([1, 50, 300, 2_000, 9_000])!) { $0.start(server, remains) }
  }

  private func start(_ server: SimulatedServer, _ remains: SimulatedRedis.Remains) {
    guard server.redis.isDown else { return }
    note("Redis\(of(server)) begins with \(remains)")
    server.redis.start(with: remains, isSameHistory: world.dice.chance(50))
    noteReturn(server)
  }

  func failover(_ server: SimulatedServer) {
    guard !server.redis.isDown else { return }
    note("a replica\(of(server)) that lags takes over")
    server.redis.crash()
    server.redis.start(with: .lostTail, isSameHistory: false)
    noteAbsence(server)
  }

  func pause(_ server: SimulatedServer) {
    guard !server.redis.isPaused, !server.redis.isDown else { return }
    let time = world.dice.pick([200, 1_000, 5_000, 30_000])!
    note("Redis\(of(server)) pauses for \(time) ms")
    server.redis.pause()
    server.awaySince = world.now
    later(time) { $0.resume(server) }
  }

  private func resume(_ server: SimulatedServer) {
    guard server.redis.isPaused else { return }
    note("Redis\(of(server)) goes on")
    noteReturn(server)
    server.redis.resume()
  }

  func flushAll(_ server: SimulatedServer) {
    note("FLUSHALL\(of(server))")
    server.redis.flushAll()
    noteAbsence(server)
  }

  func flushScripts(_ server: SimulatedServer) {
    note("SCRIPT FLUSH\(of(server))")
    server.redis.flushScripts()
  }

  func refuse(_ server: SimulatedServer) {
    let words =
      world.dice.chance(50) ? "OOM command not allowed" : "READONLY You can't write against a read only replica."
    note("Redis\(of(server)) refuses: \(words)")
    server.redis.refusal = words
    later(world.dice.roll(50...7_000)) {
      server.redis.refusal = nil
      $0.noteAbsence(server)
    }
  }

  func evict() {
    guard let number = world.dice.pick(Array(cluster.rooms.indices)) else { return }
    let (room, redis) = (cluster.rooms[number].text, cluster.home(of: number).redis)
    note("keys of \(room) are evicted")
    if let epoch = redis.data.metas[room]?.epoch { cluster.ledger.evicted.insert(epoch) }
    redis.evict(room)
    // With the room's keys goes its presence version, and a clock that is behind begins it anew below the old one.
    if hasSteppedBack { cluster.ledger.unversioned.insert(room) }
    cluster.ledger.digestsLostAt = world.now
  }

  func stepClock() {
    let step = world.dice.pick([-3_600_000, -10_000, -1_000, 1_000, 10_000, 100_000])!
    let isRedis = world.dice.chance(70)
    let servers = isRedis ? struck : cluster.servers
    let whose = isRedis ? "Redis" + (servers.count == 1 ? of(servers[0]) : "") : "the nodes"
    note("the clock of \(whose) is stepped by \(step) ms")
    // Digests are found by the time of their storing: back over the edge of a bucket, or far ahead, they are not.
    if step < 0 {  // Redis' clock goes by the nodes', with an offset of its own.
      hasSteppedBack = true
      // The presence version of a room without keys begins anew behind where it was.
      let evicted = cluster.rooms.indices.filter {
        cluster.home(of: $0).redis.data.metas[cluster.rooms[$0].text]?.version == nil
      }
      cluster.ledger.unversioned.formUnion(evicted.map { cluster.rooms[$0].text })
    }
    if step < 0 || step > 60_000 { cluster.ledger.digestsLostAt = world.now }
    if isRedis {
      for server in servers { server.redis.clockOffset += step }
    } else {
      world.clock.stepWall(by: Int64(step))
    }
    for server in servers { noteAbsence(server) }
  }
}
