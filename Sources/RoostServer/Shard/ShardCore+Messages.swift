import Buffers
import RealtimeCore
import Telemetry
import WebSocketCore

extension ShardCore {
  /// A chat client said something: judge it here, tell the hub.
  mutating func said(_ slot: UInt32, _ opcode: Opcode, _ bytes: RawSpan) {
    let message: ClientMessage
    do { message = try ClientMessage.parse(bytes, payloadLimit: rules.payloadBytes) } catch {
      return unreadable(slot, opcode, error, bytes)
    }
    counters.receive(ReceivedKind(message))
    let membership = membership(slot, message.room)
    switch connections[slot].session.judge(
      message, isMember: membership != nil, maySend: membership.map { connections[slot].rooms[$0].maySend } ?? false,
      roomCount: wantedRooms(slot), rules: rules.session, now: now.monotonic)
    {
    case .proceed: tellHub(slot, message, membership, bytes)
    case .ignore: counters.ignored &+= 1
    case .refuse(let mistake): self.mistake(slot, mistake, id: message.id, bytes)
    case .close: close(slot, .rateLimitIgnored)
    }
  }

  private mutating func unreadable(_ slot: UInt32, _ opcode: Opcode, _ refusal: ClientMessage.Refusal, _ bytes: RawSpan)
  {
    counters.receive(.unreadable)
    // The scanner stops at what is wrong first; a text must be UTF-8 behind that as well (RFC 6455, section 8.1).
    let isScanned = refusal.mistake != .invalidFormat && refusal.mistake != .tooComplex
    if !isScanned, opcode == .text, !UTF8Validator.isValid(bytes) { return peerBrokeRules(slot, .invalidUTF8) }
    if refusal.mistake == .invalidFormat {
      mistake(slot, refusal.mistake, id: refusal.id, bytes)
      if connections[slot].session.offends(second: second) { close(slot, .invalidFormat) }
      return
    }
    let verdict = connections[slot].session.refuse(refusal.mistake, rules: rules.session, now: now.monotonic)
    guard case .refuse(let told) = verdict else { return close(slot, .rateLimitIgnored) }
    mistake(slot, told, id: refusal.id, bytes)
  }

  /// Where in the connection's list the room is, if its client joined it.
  private func membership(_ slot: UInt32, _ name: RoomName?) -> Int? {
    guard let name else { return nil }
    // Comparing a few names costs less than hashing one.
    if connections[slot].rooms.count <= 4 {
      for entry in connections[slot].rooms.indices where rooms.isNamed(name, connections[slot].rooms[entry].room) {
        return connections[slot].rooms[entry].isWanted ? entry : nil
      }
      return nil
    }
    guard let room = rooms.find(name), let entry = connections[slot].membership(in: room) else { return nil }
    return connections[slot].rooms[entry].isWanted ? entry : nil
  }

  private func wantedRooms(_ slot: UInt32) -> Int {
    var count = 0
    for entry in connections[slot].rooms.indices where connections[slot].rooms[entry].isWanted { count += 1 }
    return count
  }

  private mutating func tellHub(_ slot: UInt32, _ message: ClientMessage, _ membership: Int?, _ bytes: RawSpan) {
    let id = id(slot)
    switch message {
    case .sendMessage(let room, let payload, let clientID):
      hubCommands.append(.send(id, room, ClientText(bytes, payload: payload, id: clientID)))
    case .typing(let room, let isTyping, _):
      hubCommands.append(.typing(id, room, isTyping: isTyping))
    case .joinRoom(let room, let wish, let clientID):
      wantRoom(slot, room)
      hubCommands.append(.join(id, room, wish, id: bytes.array(clientID)))
    case .leaveRoom(let room, let clientID):
      if let membership {
        connections[slot].rooms[membership].isWanted = false
        connections[slot].rooms[membership].leaving &+= 1
      }
      hubCommands.append(.leave(id, room, id: bytes.array(clientID)))
    case .onlineUsers(let room, let clientID):
      hubCommands.append(.askOnlineUsers(id, room, id: bytes.array(clientID)))
    case .history(let room, let limit, let before, let clientID):
      hubCommands.append(.askHistory(id, room, limit: limit, before: before, id: bytes.array(clientID)))
    case .private(let recipient, let payload, let clientID):
      hubCommands.append(.sendPrivate(id, recipient: recipient, ClientText(bytes, payload: payload, id: clientID)))
    case .chat(let payload, let clientID):
      hubCommands.append(.chat(id, ClientText(bytes, payload: payload, id: clientID)))
    case .refreshToken(let token, let clientID): refreshToken(slot, token, id: clientID, bytes)
    case .ping(let clientID):
      pong(slot, id: bytes.extracting(clientID ?? 0..<0))
    }
  }

  private mutating func pong(_ slot: UInt32, id: RawSpan) {
    let timestamp = Timestamp(milliseconds: now.wall)
    reply(slot) { ServerMessage.appendPong(timestamp: timestamp, id: id, to: &$0) }
  }

  private mutating func mistake(_ slot: UInt32, _ mistake: ClientMistake, id: Range<Int>?, _ bytes: RawSpan) {
    counters.mistakes &+= 1
    context.errors.count(mistake.code)
    reply(slot) { ServerMessage.appendError(mistake, id: bytes.extracting(id ?? 0..<0), to: &$0) }
  }

  /// Frames a message that this shard writes itself.
  mutating func reply(_ slot: UInt32, _ write: (inout ByteBuffer) -> Void) {
    text.removeAll()
    write(&text)
    counters.send(SentKind(text: text.bytes))
    // Taken out for the moment: the closure below may not reach into the shard.
    var written = ByteBuffer()
    swap(&written, &text)
    outbox.reply(to: slot) { FrameWriter.append(.text, written.bytes, to: &$0) }
    swap(&written, &text)
  }
}

extension RawSpan {
  /// A copy of the bytes in `range`; empty for none.
  func array(_ range: Range<Int>?) -> [UInt8] {
    guard let range else { return [] }
    return unsafe extracting(range).withUnsafeBytes { unsafe Array($0) }
  }
}

extension ClientText {
  init(_ bytes: RawSpan, payload: Range<Int>, id: Range<Int>?) {
    self.init(bytes: bytes.array(0..<bytes.byteCount), payload: payload, id: id ?? 0..<0)
  }
}
