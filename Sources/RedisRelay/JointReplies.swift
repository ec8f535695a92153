import RealtimeCore

// Requests that went to several servers: their replies become one.
//
// A server that does not answer for a moment is waited for as one alone would be: the whole request fails, and the hub
// asks again. Only one that is away, or refuses, is left out.

/// Requests to several servers whose replies are awaited. Pure. There are as many as the servers take.
struct JointReplies {
  enum Kind {
    /// Good when one server is; what is expired anywhere must be reaped.
    case lease
    /// The same, and servers that were not told must be told again.
    case registration
    /// Good without those that were left out, which must be told again.
    case presence
    case departure
    /// Done when it is on all servers that answered. Who did not will name the dead again.
    case reaping
    /// Good when all answered. `order`: the server of each room, as asked.
    case reading(order: [Int])

    /// Those that are away are left out.
    fileprivate var goesWithoutSome: Bool {
      switch self {
      case .lease, .registration, .presence, .departure: true
      case .reaping, .reading: false
      }
    }
  }

  private struct Entry {
    let kind: Kind
    let round: Int
    var awaited: Int
    var replies: [(server: Int, reply: RelayReply)] = []
  }

  private var entries: [RelayTicket: Entry] = [:]
  private var round = 0

  var count: Int { entries.count }
  func contains(_ ticket: RelayTicket) -> Bool { entries[ticket] != nil }

  mutating func begin(_ ticket: RelayTicket, _ kind: Kind, servers: Int) {
    entries[ticket] = Entry(kind: kind, round: round, awaited: servers)
  }

  /// Everything is made known again: what is on its way and fails need not be told once more.
  mutating func beginRound() { round += 1 }

  /// One server answered; returns the answer of all when it was the last, and which servers must be told of presence
  /// again.
  /// - Parameter away: servers that are not waited for.
  mutating func take(
    _ reply: RelayReply, of ticket: RelayTicket, from server: Int, away: [Int]
  ) -> (reply: RelayReply, untold: [Int])? {
    entries[ticket]!.replies.append((server, reply))
    entries[ticket]!.awaited -= 1
    guard entries[ticket]!.awaited == 0, let entry = entries.removeValue(forKey: ticket) else { return nil }
    let replies = entry.replies.sorted { $0.server < $1.server }
    let good = replies.filter { !$0.reply.isFailed }
    if good.contains(where: { if case .fenced = $0.reply { true } else { false } }) { return (.fenced, []) }
    let failed = replies.filter(\.reply.isFailed)
    let brief = failed.first { !$0.reply.isRefused && !away.contains($0.server) }
    if entry.kind.goesWithoutSome, let brief { return (brief.reply, []) }
    let untold = entry.round == round ? failed.map(\.server) : []
    if case .presence = entry.kind { return (.presenceChanged, untold) }
    guard let first = good.first?.reply else { return (failed[0].reply, []) }
    switch entry.kind {
    case .lease: return (Self.alive(good.map(\.reply)), [])
    case .registration: return (Self.alive(good.map(\.reply)), untold)
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
  fileprivate var isRefused: Bool { if case .failed(.refused) = self { true } else { false } }
  fileprivate var isUndone: Bool { if case .reaped(isDone: false) = self { true } else { false } }
}
