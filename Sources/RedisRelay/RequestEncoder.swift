import Buffers
import RealtimeCore

/// What a booted connection gives to every script call.
struct ScriptContext {
  /// SHA-1 of each script, as Redis told, in the order of ``Script``.
  var hashes = [String](repeating: "", count: Script.allCases.count)
  /// As `ws:gen` holds it: with the token.
  var generation = ""
  var session = ""
  let node: String

  func call(_ script: Script, words: Int, into buffer: inout ByteBuffer) {
    buffer.appendCommand(words: 6 + words)
    buffer.appendWord("EVALSHA")
    buffer.appendWord(hashes[script.rawValue])
    buffer.appendWord("0")
    buffer.appendWord(generation)
    buffer.appendWord(node)
    buffer.appendWord(session)
  }
}

/// Requests as commands.
extension ScriptContext {
  func append(
    _ request: RelayRequest, configuration: RedisRelayConfiguration, wallClock: () -> Int64,
    to buffer: inout ByteBuffer
  ) -> RequestShape {
    switch request {
    case .publish(let room, let publications): return publish(room, publications, &buffer)
    case .read(let rooms): return read(rooms, &buffer)
    case .history(let room, let before, let limit): return history(room, before: before, limit: limit, &buffer)
    case .changePresence(let incarnation, let changes): return change(incarnation, changes, wallClock(), &buffer)
    case .countConnections(let incarnation, let count):
      return simple(.connections, [incarnation, String(count)], .changed, &buffer)
    case .countUsers(let incarnation, let users): return count(incarnation, users, &buffer)
    case .heartbeat(let incarnation, let connections, let isDraining):
      return simple(.heartbeat, [incarnation, String(connections), isDraining ? "1" : "0"], .alive, &buffer)
    case .register(let incarnation, let replaces, let connections):
      return simple(.register, [incarnation, String(connections), replaces ?? ""], .alive, &buffer)
    case .depart(let incarnation, let grace):
      return simple(.depart, [incarnation, String(grace)], .changed, &buffer)
    case .reap(let incarnation):
      call(.reap, words: 2, into: &buffer)
      buffer.appendWord(incarnation)
      buffer.appendWord(Self.timestamp(wallClock()))
      return .reaped
    case .roster(let room): return simple(.roster, [room.text], .roster(room), &buffer)
    case .online: return simple(.online, [], .online, &buffer)
    case .revoke(let wanted): return revoke(wanted, now: wallClock(), &buffer)
    case .revocations(let position):
      let words = [String(wallClock() / 1_000), String(position), String(RelayLimits.revocationsPerSlice)]
      return simple(.revocations, words, .revocations(position), &buffer)
    case .broadcast(let frame): return publish(frame, on: configuration.broadcastChannel, &buffer)
    case .tell(let room, let frame): return publish(frame, on: configuration.channel(of: room), &buffer)
    case .send(let node, let frame): return publish(frame, on: configuration.nodeChannel(node), &buffer)
    }
  }

  private func publish(_ room: RoomName, _ publications: [Publication], _ buffer: inout ByteBuffer) -> RequestShape {
    precondition(publications.count <= RelayLimits.publicationsPerRequest)
    call(.publish, words: 1 + 2 * publications.count, into: &buffer)
    buffer.appendWord(room.text)
    for publication in publications {
      buffer.appendWord(PublicationDigest.of(publication, room: room))
      buffer.appendWord(publication.text)
    }
    return .publish(room, count: publications.count)
  }

  private func read(_ rooms: [(room: RoomName, known: Position?)], _ buffer: inout ByteBuffer) -> RequestShape {
    precondition(rooms.count <= RelayLimits.roomsPerRead)
    call(.read, words: 1 + 3 * rooms.count, into: &buffer)
    buffer.appendWord(Script.readBytes)
    for (room, known) in rooms {
      buffer.appendWord(room.text)
      buffer.appendWord(known?.epoch ?? "")
      buffer.appendWord(known?.offset ?? 0)
    }
    return .read(rooms)
  }

  private func history(_ room: RoomName, before: Int?, limit: Int, _ buffer: inout ByteBuffer) -> RequestShape {
    call(.history, words: 4, into: &buffer)
    buffer.appendWord(room.text)
    // Nothing is below the first message; 0 stands for no limit in the script.
    buffer.appendWord(before.map { max($0, 1) } ?? 0)
    buffer.appendWord(limit)
    buffer.appendWord(Script.readBytes)
    return .history
  }

  private func change(
    _ incarnation: String, _ changes: [PresenceChange], _ now: Int64, _ buffer: inout ByteBuffer
  ) -> RequestShape {
    precondition(changes.count <= RelayLimits.changesPerRequest)
    call(.presence, words: 2 + 4 * changes.count, into: &buffer)
    buffer.appendWord(incarnation)
    buffer.appendWord(Self.timestamp(now))
    for change in changes {
      let user = JSONText.escaped(change.user)
      buffer.appendWord(change.isJoin ? (change.isAnnounced ? "+" : "=") : (change.isAnnounced ? "-" : "_"))
      buffer.appendWord(change.room?.text ?? "")
      buffer.appendWord(user)
      buffer.appendWord(change.name == change.user ? "" : JSONText.escaped(change.name))
    }
    return .changed
  }

  private func count(_ incarnation: String, _ users: [UserCount], _ buffer: inout ByteBuffer) -> RequestShape {
    precondition(users.count <= RelayLimits.usersPerCount)
    call(.users, words: 1 + 2 * users.count, into: &buffer)
    buffer.appendWord(incarnation)
    for user in users {
      buffer.appendWord(JSONText.escaped(user.user))
      buffer.appendWord(user.connections.map { String($0) } ?? "")
    }
    return .counted(users.count)
  }

  private func revoke(_ wanted: [Revocation], now: Int64, _ buffer: inout ByteBuffer) -> RequestShape {
    precondition(wanted.count <= RelayLimits.revocationsPerRequest)
    call(.revoke, words: 1 + 3 * wanted.count, into: &buffer)
    buffer.appendWord(Int(now / 1_000))
    for revocation in wanted {
      buffer.appendWord(revocation.key)
      buffer.appendWord(Int(revocation.until))
      buffer.appendWord(Int(revocation.issuedUntil))
    }
    return .revoked
  }

  private func simple(
    _ script: Script, _ words: [String], _ shape: RequestShape, _ buffer: inout ByteBuffer
  ) -> RequestShape {
    call(script, words: words.count, into: &buffer)
    for word in words { buffer.appendWord(word) }
    return shape
  }

  private func publish(_ frame: [UInt8], on channel: String, _ buffer: inout ByteBuffer) -> RequestShape {
    buffer.appendCommand(words: 3)
    buffer.appendWord("PUBLISH")
    buffer.appendWord(channel)
    buffer.appendWord(frame)
    return .sent
  }

  private static func timestamp(_ milliseconds: Int64) -> [UInt8] {
    var text = ByteBuffer()
    Timestamp(milliseconds: milliseconds).append(to: &text)
    return text.array()
  }
}
