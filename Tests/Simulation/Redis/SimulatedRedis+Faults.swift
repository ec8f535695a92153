/// What may happen to a Redis.
extension SimulatedRedis {
  /// What is left of the data after a restart or a failover.
  public enum Remains: CaseIterable, Sendable { case nothing, everything, lostTail }

  /// The process ends; connections are reset and new ones refused.
  public func crash() {
    isDown = true
    isPaused = false
    forgetScripts()
    for session in sessions {
      session.link.cut()
      forget(session)
    }
  }

  /// Another process begins, with what is left.
  public func start(with remains: Remains, isSameHistory: Bool) {
    switch remains {
    case .nothing: data = RedisData()
    case .everything: break
    case .lostTail: data = earlier
    }
    earlier = data
    runID = world.dice.hexadecimal(40)
    if !isSameHistory { replicationID = world.dice.hexadecimal(40) }
    isDown = false
    refusal = nil
  }

  public func pause() { isPaused = true }

  /// Runs what came meanwhile, that of connections given up included.
  public func resume() {
    guard isPaused else { return }
    isPaused = false
    // In whatever order the kernel names them.
    for session in sessions.shuffled(using: &world.dice) { execute(session) }
    for session in sessions where session.isOver { forget(session) }
  }

  public func flushAll() { data = RedisData() }

  public func flushScripts() { forgetScripts() }

  /// Memory was short: a room's keys go, one or the other or all of them.
  public func evict(_ room: String) {
    let what = world.dice.roll(0...3)
    if what != 1 { data.streams[room] = nil }
    if what != 0 { data.metas[room] = nil }
    if what == 3 { data.digests = [:] }
  }

  /// How long it may take until the last incarnation that is dying is reaped: a clock that was stepped back makes them
  /// wait, 15 minutes at most.
  var secondsOfDying: Int64 {
    let last = (data.dying.values.max() ?? 0) - time / 1_000
    return Int64(min(max(0, last), 900_000) / 1_000)
  }
}
