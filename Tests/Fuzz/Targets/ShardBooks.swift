import Buffers
import RealtimeCore

/// What a shard keeps about its connections, as far as the hub relies on it: who is there, and who may send where.
struct ShardBooks {
  private struct Membership {
    var isWanted = true
    /// Leaves that were not answered yet.
    var leaving = 0
  }

  private enum Standing { case asking, open }

  private var connections: [ConnectionID: Standing] = [:]
  private var rooms: [ConnectionID: [RoomName: Membership]] = [:]
  private var commands: [HubCommand] = []

  /// False: it is there already.
  mutating func come(_ id: ConnectionID) -> Bool {
    guard connections[id] == nil else { return false }
    connections[id] = .asking
    return true
  }

  mutating func go(_ id: ConnectionID) -> Bool {
    rooms[id] = nil
    return connections.removeValue(forKey: id) != nil
  }

  /// What the shard has to tell the hub by itself.
  mutating func takeCommands() -> [HubCommand] {
    defer { commands = [] }
    return commands
  }

  /// What the shard tells the hub of a message; nil when it answers by itself.
  mutating func command(_ id: ConnectionID, _ message: ClientMessage, _ bytes: [UInt8]) -> HubCommand? {
    guard connections[id] == .open else { return nil }
    let clientID = message.id.map { Array(bytes[$0]) } ?? []
    func text(_ payload: Range<Int>) -> ClientText {
      ClientText(bytes: bytes, payload: payload, id: message.id ?? 0..<0)
    }
    if let room = message.room, rooms[id]?[room]?.isWanted != true {
      switch message {
      case .joinRoom, .onlineUsers: break
      default: return nil
      }
    }
    switch message {
    case .joinRoom(let room, let wish, _):
      rooms[id, default: [:]][room, default: Membership()].isWanted = true
      return .join(id, room, wish, id: clientID)
    case .leaveRoom(let room, _):
      rooms[id]?[room]?.isWanted = false
      rooms[id]?[room]?.leaving += 1
      return .leave(id, room, id: clientID)
    case .sendMessage(let room, let payload, _): return .send(id, room, text(payload))
    case .typing(let room, let isTyping, _): return .typing(id, room, isTyping: isTyping)
    case .onlineUsers(let room, _): return .askOnlineUsers(id, room, id: clientID)
    case .history(let room, let limit, let before, _):
      return .askHistory(id, room, limit: limit, before: before, id: clientID)
    case .private(let recipient, let payload, _): return .sendPrivate(id, recipient: recipient, text(payload))
    case .chat(let payload, _): return .chat(id, text(payload))
    case .refreshToken(let token, _):
      let stamp = TokenStamp(id: String(decoding: bytes[token].prefix(2), as: UTF8.self), issuedAt: Int64(token.count))
      guard let identity = Identity(user: "ann", name: "") else { return nil }
      let grant = TokenGrant(identity: identity, stamp: stamp, mayJoin: nil, maySend: nil, end: .max)
      return .refresh(id, grant, id: clientID)
    case .ping: return .askOnline(id)
    }
  }

  /// - Throws: ``Finding`` for a text that is no JSON object.
  mutating func perform(_ action: HubAction, _ text: [UInt8]) throws(Finding) {
    switch action {
    case .admit(let id, _): if connections[id] != nil { connections[id] = .open }
    case .refuse(let id, _): connections[id] = nil
    case .text(_, let range), .resync(_, _, let range), .enter(_, _, _, let range), .everyone(let range):
      try check(text, range)
    case .exit(let id, _, let room, let range):
      try check(text, range)
      left(id, room)
    case .item(_, let item):
      try check(text, item.text)
      if let ack = item.ack { try check(text, ack) }
      if let own = item.ownText { try check(text, own) }
      try demand(item.origin == nil || item.ack != nil, "an origin without an ack")
    case .replay(let id, let replay):
      for message in replay.messages {
        var written = ByteBuffer()
        replay.append(message, to: &written)
        try demand(written.count == replay.byteCount(of: message), "a replay of another length")
        try check(written.array(), 0..<written.count)
      }
      if connections[id] == .open { commands.append(.replayDrained(id)) }
    case .close(let id, _):
      if go(id) { commands.append(.disconnect(id, .left)) }
    case .forget, .follow, .unfollow, .online, .relay, .notice, .refreshed, .backend, .drain, .shed: break
    }
  }

  private mutating func left(_ id: ConnectionID, _ room: RoomName) {
    guard var membership = rooms[id]?[room] else { return }
    if membership.leaving > 0 { membership.leaving -= 1 } else { membership.isWanted = false }
    rooms[id]?[room] = membership.isWanted || membership.leaving > 0 ? membership : nil
  }

  private func check(_ text: [UInt8], _ range: Range<Int>) throws(Finding) {
    try demand(range.lowerBound >= 0 && range.upperBound <= text.count, "a text outside of the turn's")
    let bytes = Array(text[range])
    try demand(
      bytes.first == UInt8(ascii: "{") && JSONDifference.problem(in: bytes) != .malformed,
      "no JSON: \(String(decoding: bytes, as: UTF8.self))")
  }
}
