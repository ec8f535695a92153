import RealtimeCore

/// Requests that went to several servers: their replies become one. Pure.
struct JointReplies {
  enum Kind {
    /// Good when one server is; what is expired anywhere must be reaped.
    case lease
    /// Good in any case; servers that were not told must be told again.
    case presence
    case departure
    /// Done when it is on all servers that answered. Who did not will name the dead again.
    case reaping
    /// Good when all answered. `order`: the server of each room, as asked.
    case reading(order: [Int])
  }

  private struct Entry {
    let kind: Kind
    var awaited: Int
    var replies: [(server: Int, reply: RelayReply)] = []
  }

  private var entries: [RelayTicket: Entry] = [:]

  var count: Int { entries.count }
  func contains(_ ticket: RelayTicket) -> Bool { entries[ticket] != nil }

  mutating func begin(_ ticket: RelayTicket, _ kind: Kind, servers: Int) {
    entries[ticket] = Entry(kind: kind, awaited: servers)
  }

  /// One server answered; returns the answer of all when it was the last, and which servers must be told of presence
  /// again.
  mutating func take(
    _ reply: RelayReply, of ticket: RelayTicket, from server: Int
  ) -> (reply: RelayReply, untold: [Int])? {
    entries[ticket]!.replies.append((server, reply))
    entries[ticket]!.awaited -= 1
    guard entries[ticket]!.awaited == 0, let entry = entries.removeValue(forKey: ticket) else { return nil }
    let replies = entry.replies.sorted { $0.server < $1.server }
    let good = replies.filter { !$0.reply.isFailed }
    if good.contains(where: { if case .fenced = $0.reply { true } else { false } }) { return (.fenced, []) }
    let failed = replies.filter(\.reply.isFailed)
    if case .presence = entry.kind { return (.presenceChanged, failed.map(\.server)) }
    guard let first = good.first?.reply else { return (failed[0].reply, []) }
    switch entry.kind {
    case .lease: return (Self.alive(good.map(\.reply)), [])
    case .departure, .presence: return (first, [])
    case .reaping: return (.reaped(isDone: !good.contains { $0.reply.isUndone }), [])
    case .reading(let order):
      return failed.isEmpty ? (Self.merged(good, order), []) : (failed[0].reply, [])
    }
  }

  private static func alive(_ replies: [RelayReply]) -> RelayReply {
    guard case .alive(let living, var dead)? = replies.first else { return replies[0] }
    for case .alive(_, let expired) in replies.dropFirst() { dead += expired.filter { !dead.contains($0) } }
    return .alive(nodes: living, expired: dead)
  }

  private static func merged(_ replies: [(server: Int, reply: RelayReply)], _ order: [Int]) -> RelayReply {
    var parts: [Int: ArraySlice<RoomRead>] = [:]
    for (server, reply) in replies { if case .read(let rooms) = reply { parts[server] = rooms[...] } }
    return .read(order.compactMap { parts[$0]?.popFirst() })
  }
}

extension RelayReply {
  fileprivate var isFailed: Bool { if case .failed = self { true } else { false } }
  fileprivate var isUndone: Bool { if case .reaped(isDone: false) = self { true } else { false } }
}
