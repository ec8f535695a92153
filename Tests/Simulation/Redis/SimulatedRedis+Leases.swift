import RedisRelay

/// HEARTBEAT, REGISTER, CONNECTIONS, DEPART and ONLINE.
extension SimulatedRedis {
  var milliseconds: Int { time / 1_000 }

  func fenced() -> RedisReply { .error("FENCED this incarnation has no lease") }

  /// Nobody renewed for two intervals: Redis was away, not the nodes.
  func amnesty() {
    let (now, last) = (milliseconds, data.lastBeat ?? 0)
    if now - last <= 2 * settings.heartbeatMilliseconds, now >= last { return }
    if mutant == .noAmnesty { return }
    for incarnation in data.leases.keys { data.leases[incarnation] = now + settings.leaseMilliseconds }
    data.lastBeat = now
  }

  func holdsLease(_ incarnation: String) -> Bool {
    guard let deadline = data.leases[incarnation] else { return false }
    if deadline <= milliseconds { amnesty() }
    return data.leases[incarnation]! > milliseconds
  }

  func endLease(_ incarnation: String, reapAt: Int) {
    data.leases[incarnation] = nil
    data.connections[incarnation] = nil
    data.nodes[incarnation] = nil
    if data.dying[incarnation] == nil { data.dying[incarnation] = reapAt }
  }

  private func clamp(_ table: inout [String: Int], _ latest: Int) {
    if mutant == .noClamp { return }
    for (incarnation, time) in table where time > latest { table[incarnation] = latest }
  }

  private func renew(_ incarnation: String, _ call: ScriptCall, isDraining: Bool = false) -> RedisReply {
    let now = milliseconds
    data.lastBeat = now
    data.leases[incarnation] = now + settings.leaseMilliseconds
    data.connections[incarnation] = call.number(5)
    data.nodes[incarnation] = call.node + (isDraining ? " draining" : "")
    clamp(&data.leases, now + settings.leaseMilliseconds)
    clamp(&data.dying, now + 900_000)
    witness?.renewed(incarnation)
    let live = ordered(data.leases).filter { $0.value > now && data.nodes[$0.key] != nil }.map(\.key)
    let counts = live.map { RedisReply.integer(data.connections[$0] ?? 0) }
    let expired = ordered(data.leases).filter { $0.value <= now }.prefix(8).map(\.key)
    let due = ordered(data.dying).filter { $0.value <= now }.prefix(8).map(\.key)
    return .array([
      .array(live.map { .word(data.nodes[$0]!) }), .array(counts), .array((expired + due).map(RedisReply.word)),
    ])
  }

  /// As in a sorted set.
  private func ordered(_ table: [String: Int]) -> [(key: String, value: Int)] {
    table.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
  }

  func heartbeat(_ call: ScriptCall) -> RedisReply {
    amnesty()
    let incarnation = call.text(4)
    guard data.leases[incarnation] != nil else { return fenced() }
    return renew(incarnation, call, isDraining: call.text(6) == "1")
  }

  func register(_ call: ScriptCall) -> RedisReply {
    let (incarnation, old) = (call.text(4), call.text(6))
    if data.dying[incarnation] != nil { return fenced() }
    amnesty()
    if !old.isEmpty, old != incarnation { endLease(old, reapAt: milliseconds + settings.leaseMilliseconds) }
    return renew(incarnation, call)
  }

  func connections(_ call: ScriptCall) -> RedisReply {
    guard holdsLease(call.text(4)) else { return fenced() }
    data.connections[call.text(4)] = call.number(5)
    return .integer(1)
  }

  func depart(_ call: ScriptCall) -> RedisReply {
    if data.leases[call.text(4)] != nil { endLease(call.text(4), reapAt: milliseconds + call.number(5)) }
    return .integer(1)
  }

  func online() -> RedisReply {
    amnesty()
    let live = data.leases.filter { $0.value > milliseconds }
    let connections = live.keys.reduce(0) { $0 + (data.connections[$1] ?? 0) }
    return .array([.integer(connections), .integer(data.users.count), .integer(live.count)])
  }
}
