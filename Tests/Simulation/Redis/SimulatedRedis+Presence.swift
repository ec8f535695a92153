import RedisRelay

/// PRESENCE, REAP and ROSTER.
extension SimulatedRedis {
  private func announce(_ kind: String, _ room: String, _ user: String, _ name: String, _ call: ScriptCall) {
    let version = max((data.metas[room]?.version ?? 0) + 1, time)
    data.metas[room, default: RedisData.Meta()].version = version
    extendMeta(room)
    let who = #"{"id":"\#(user)","name":"\#(name.isEmpty ? user : name)"}"#
    let frame =
      #"{"type":"\#(kind)","room":"\#(room)","payload":\#(who),"sender":\#(who),"timestamp":"\#(call.text(5))""#
      + #","node":"\#(call.node)","version":\#(version),"count":\#(data.rooms[room]?.count ?? 0)"#
      + #","token":"\#(call.token)"}"#
    witness?.announced(kind, room: room, user: user)
    publish(Array(frame.utf8), on: channel(of: room))
  }

  private func extendMeta(_ room: String) {
    data.metas[room]!.end = milliseconds + (settings.historySeconds + 86_400) * 1_000
  }

  private func add(_ room: String, _ user: String, _ name: String, isTold: Bool, _ call: ScriptCall) {
    if room.isEmpty {
      data.users[user, default: 0] += 1
      return
    }
    let nodes = data.rooms[room]?[user]?.nodes ?? 0
    data.rooms[room, default: [:]][user] = RedisData.Presence(nodes: nodes + 1, name: name)
    if nodes == 0, isTold { announce("user_joined", room, user, name, call) }
  }

  private func remove(_ room: String, _ user: String, isTold: Bool, _ call: ScriptCall) {
    if room.isEmpty {
      setExtra(user, 0, call.text(4))
      data.users[user, default: 0] -= 1
      if data.users[user]! <= 0 { data.users[user] = nil }
      return
    }
    guard let held = data.rooms[room]?[user] else { return }
    if held.nodes > 1 {
      data.rooms[room]![user]!.nodes -= 1
      return
    }
    data.rooms[room]![user] = nil
    if data.rooms[room]!.isEmpty { data.rooms[room] = nil }
    if isTold { announce("user_left", room, user, held.name, call) }
  }

  func presence(_ call: ScriptCall) -> RedisReply {
    let incarnation = call.text(4)
    guard holdsLease(incarnation) else { return fenced() }
    for argument in stride(from: 6, through: call.count, by: 4) {
      let (what, room, user) = (call.text(argument), call.text(argument + 1), call.text(argument + 2))
      let entry = RedisData.Entry(room: room, user: user)
      if what == "+" || what == "=" {
        guard data.undo[incarnation, default: []].insert(entry).inserted else { continue }
        add(room, user, call.text(argument + 3), isTold: what == "+", call)
      } else if data.undo[incarnation]?.remove(entry) != nil {
        if data.undo[incarnation]!.isEmpty { data.undo[incarnation] = nil }
        remove(room, user, isTold: what == "-", call)
      }
    }
    return .integer(1)
  }

  func reap(_ call: ScriptCall) -> RedisReply {
    amnesty()
    let (incarnation, now) = (call.text(4), milliseconds)
    if let deadline = data.leases[incarnation] {
      if deadline > now { return .integer(1) }
      endLease(incarnation, reapAt: now)
      witness?.reaped(incarnation)
    }
    guard let due = data.dying[incarnation], due <= now else { return .integer(1) }
    // Any order will do: Redis' SPOP is by chance. Sorted, so that a seed tells the run.
    let entries = (data.undo[incarnation] ?? []).sorted { ($0.room, $0.user) < ($1.room, $1.user) }
    for entry in entries.prefix(200) {
      data.undo[incarnation]!.remove(entry)
      remove(entry.room, entry.user, isTold: true, call)
    }
    if entries.count > 200 { return .integer(0) }
    data.undo[incarnation] = nil
    data.dying[incarnation] = nil
    return .integer(1)
  }

  private func setExtra(_ user: String, _ after: Int, _ incarnation: String) {
    let before = data.ownExtras[incarnation]?[user] ?? 0
    guard before != after else { return }
    data.ownExtras[incarnation, default: [:]][user] = after > 0 ? after : nil
    if data.ownExtras[incarnation]!.isEmpty { data.ownExtras[incarnation] = nil }
    let sum = data.extras[user, default: 0] + after - before
    data.extras[user] = sum > 0 ? sum : nil
  }

  func users(_ call: ScriptCall) -> RedisReply {
    let incarnation = call.text(4)
    let isHeld = holdsLease(incarnation)
    var elsewhere: [RedisReply] = []
    for argument in stride(from: 5, through: call.count, by: 2) {
      let user = call.text(argument)
      let isHere = data.undo[incarnation]?.contains(RedisData.Entry(room: "", user: user)) == true
      if let count = Int(call.text(argument + 1)), isHeld, isHere { setExtra(user, max(count - 1, 0), incarnation) }
      let all = data.users[user, default: 0] + data.extras[user, default: 0]
      let own = (isHere ? 1 : 0) + (data.ownExtras[incarnation]?[user] ?? 0)
      elsewhere.append(.integer(all - own))
    }
    return .array(elsewhere)
  }

  func roster(_ call: ScriptCall) -> RedisReply {
    let room = call.text(4)
    var meta = data.metas[room] ?? RedisData.Meta()
    if meta.top == nil || !(meta.epoch?.hasPrefix(call.short) ?? false) {
      data.streams[room] = nil
      (meta.epoch, meta.top) = ("\(call.short)-\(String(milliseconds, radix: 16))", 0)
    }
    meta.version = meta.version ?? time
    data.metas[room] = meta
    extendMeta(room)
    let members = (data.rooms[room] ?? [:]).sorted { $0.key < $1.key }
    var shown = members[...]
    if members.count > 200 { shown = members.prefix(100) }
    let words = shown.flatMap { [RedisReply.word($0.key), .word("\($0.value.nodes):\($0.value.name)")] }
    return .array([
      .integer(members.count), .word(meta.epoch!), .integer(meta.top!), .integer(meta.version!), .array(words),
    ])
  }
}
