import RealtimeCore
import RedisRelay

/// BOOT, PUBLISH and READ. Each says in Swift what the Lua text of the same name says.
extension SimulatedRedis {
  func boot(_ call: ScriptCall) -> RedisReply {
    // Arguments: 1 node, 2 lineage, 3 random part, 4 token, 5 the generation to replace.
    let (node, lineage, distrusted) = (call.text(1), call.text(2), call.text(5))
    let topology = settings.scriptSettings.topology
    if data.topology != topology {
      guard !data.leases.values.contains(where: { $0 >= time / 1_000 - 60_000 }) else {
        return .error("TOPOLOGY the nodes of this cluster have \(data.topology)")
      }
      data.generation = ""
    }
    let isOurs = mutant == .storedGeneration || data.generation.prefix(24) == lineage
    if data.generation.isEmpty || !isOurs || data.generation == distrusted {
      data.generation = "\(lineage)-\(call.text(3)).\(call.text(4))"
      data.topology = topology
      witness?.generationBegan(data.generation)
      spare()
    }
    let session = max(time, (data.sessions[node] ?? 0) + 1)
    data.sessions[node] = session
    return .array([.word(data.generation), .word(String(session))])
  }

  /// Nobody's lease and undo list ends before all nodes had a lease's time to register anew.
  private func spare() {
    let lease = time / 1_000 + settings.leaseMilliseconds
    for (incarnation, end) in data.leases where end < lease { data.leases[incarnation] = lease }
    for (incarnation, due) in data.dying where due < lease { data.dying[incarnation] = lease }
  }

  private var metaSeconds: Int { settings.historySeconds + 86_400 }

  /// Begins an epoch. The old stream goes aside, and nobody asks for it again.
  private func newEpoch(_ room: String, _ call: ScriptCall) -> String {
    data.streams[room] = nil
    return "\(call.short)-\(String(time / 1_000, radix: 16))"
  }

  func publish(_ call: ScriptCall) -> RedisReply {
    let room = call.text(4)
    if call.count == 4 { return .array([]) }  // a rehearsal
    let (milliseconds, second) = (time / 1_000, time / 1_000_000)
    var meta = data.metas[room] ?? RedisData.Meta()
    var isNew = !(meta.epoch?.hasPrefix(call.short) ?? false) || meta.top == nil
    let period = second / 120
    var out: [RedisReply] = []
    var hasStored = false
    for argument in stride(from: 5, through: call.count, by: 2) {
      let digest = call.bytes(argument)
      let seen = data.digests[period]?[digest] ?? data.digests[period - 1]?[digest]
      if mutant != .noDigests, let seen, seen.epoch.hasPrefix(call.short) {
        out += [.integer(seen.offset), .word(seen.epoch), .integer(1)]
        continue
      }
      if isNew {
        (meta.epoch, meta.top, meta.renewed) = (newEpoch(room, call), 0, nil)
        isNew = false
      }
      let (offset, epoch) = (meta.top! + 1, meta.epoch!)
      meta.top = offset
      hasStored = true
      let text = call.bytes(argument + 1)
      store(text, room: room, epoch: epoch, offset: offset)
      if data.digests[period] == nil { data.digests = data.digests.filter { $0.key == period - 1 } }
      data.digests[period, default: [:]][digest] = RedisData.Place(offset: offset, epoch: epoch)
      publish(
        text + Array(#","epoch":"\#(epoch)","offset":\#(offset),"token":"\#(call.token)"}"#.utf8),
        on: channel(of: room))
      out += [.integer(offset), .word(epoch), .integer(0)]
    }
    if hasStored {
      if let renewed = meta.renewed, second >= renewed, second - renewed < 60 {
        data.metas[room, default: RedisData.Meta()].top = meta.top
      } else {
        meta.renewed = second
        meta.end = milliseconds + (metaSeconds + 60) * 1_000
        data.metas[room] = meta
        data.streams[room]?.end = milliseconds + (settings.historySeconds + 60) * 1_000
      }
    }
    return .array(out)
  }

  private func store(_ text: [UInt8], room: String, epoch: String, offset: Int) {
    data.streams[room, default: RedisData.Stream()].entries.append((offset, text + [UInt8(ascii: "}")]))
    let excess = data.streams[room]!.entries.count - settings.historyMessages
    if excess > 0 { data.streams[room]!.entries.removeFirst(excess) }
    witness?.stored(text, room: room, epoch: epoch, offset: offset)
  }

  func read(_ call: ScriptCall) -> RedisReply {
    var budget = call.number(4)
    var out: [RedisReply] = []
    for argument in stride(from: 5, through: call.count, by: 3) {
      let (room, epoch, known) = (call.text(argument), call.text(argument + 1), call.number(argument + 2))
      guard let meta = data.metas[room], let top = meta.top, let current = meta.epoch,
        current.hasPrefix(call.short) || mutant == .readsOldMeta
      else {
        out.append(.null)
        continue
      }
      var rows: [RedisReply] = []
      var isComplete = epoch.isEmpty || epoch == current && known == top
      if !isComplete, epoch == current, known < top {
        let last = run(room, above: known, into: &rows, budget: &budget)
        isComplete = last == top || mutant == .readsIncomplete
      }
      out.append(.array([.word(current), .integer(top), .integer(isComplete ? 1 : 0), .array(rows)]))
    }
    return .array(out)
  }

  /// Adds the messages above `known` that follow on each other; answers the last one's offset.
  private func run(_ room: String, above known: Int, into rows: inout [RedisReply], budget: inout Int) -> Int {
    var last = known
    let count = budget > 0 ? settings.historyMessages : 1
    for entry in (data.streams[room]?.entries ?? []).filter({ $0.offset > known }).prefix(count) {
      let isMissing = entry.offset != last + 1
      if isMissing && mutant != .readsIncomplete { return last }
      if !rows.isEmpty, entry.text.count > budget { return last }
      (budget, last) = (budget - entry.text.count, entry.offset)
      rows += [.integer(entry.offset), .text(entry.text)]
    }
    return last
  }

  func history(_ call: ScriptCall) -> RedisReply {
    let (room, before, limit) = (call.text(4), call.number(5), call.number(6))
    var budget = call.number(7)
    guard let meta = data.metas[room], let top = meta.top, let epoch = meta.epoch, epoch.hasPrefix(call.short) else {
      return .null
    }
    let highest = before > 0 && before <= top ? before - 1 : top
    var texts: [RedisReply] = []
    let entries = (data.streams[room]?.entries ?? []).reversed().filter { $0.offset <= highest }
    for entry in entries.prefix(limit) {
      guard entry.offset == highest - texts.count, texts.isEmpty || entry.text.count <= budget else { break }
      texts.append(.text(entry.text))
      budget -= entry.text.count
    }
    return .array([.word(epoch), .integer(top), .integer(highest), .array(texts)])
  }
}
