import Buffers

// Typing
//
// The node of who types says so at most every 3 s; every node runs a timer of 6 s for each (room, user) it was told
// about and tells its members only when something changes. Nothing is stored: a lost frame ends itself.

/// Who types, here and elsewhere.
struct TypingTable {
  static let repeatInterval: Int64 = 3_000
  static let lifetime: Int64 = 6_000

  struct Key: Hashable {
    let room: RoomName
    let user: UserKey
  }

  /// Users of this node: when others were last told.
  var told: [Key: Int64] = [:]
  /// Users of all nodes: until when they count as typing, and what they look like when it ends by itself.
  var active: [Key: (until: Int64, identity: Identity)] = [:]
  private var expiries = DelayQueue<Key>()

  var nextDeadline: Int64? { expiries.nextDue }

  mutating func expire(_ key: Key, at time: Int64) { expiries.append(key, due: time) }
  mutating func popDue(now: Int64) -> Key? { expiries.popDue(now: now) }
}

extension Hub {
  /// A member says that he types, or that he stopped.
  mutating func type(_ connection: ConnectionID, _ room: RoomName, _ isTyping: Bool, now: Now) {
    guard let user = user(of: connection), let number = roomNumbers[room],
      connections[connection]!.rooms.contains(number)
    else { return }
    let identity = users[user].identity
    guard isTyping else { return stopTyping(room: room, identity, now: now) }
    let key = TypingTable.Key(room: room, user: identity.key)
    if let last = typing.told[key], now.monotonic < last + TypingTable.repeatInterval { return }
    typing.told[key] = now.monotonic
    typing.expire(key, at: now.monotonic + TypingTable.lifetime)
    broadcastTyping(.userTyping, room, identity, now: now)
  }

  /// The user stopped, left the room or is gone.
  mutating func stopTyping(room: RoomName, _ identity: Identity, now: Now) {
    guard typing.told.removeValue(forKey: TypingTable.Key(room: room, user: identity.key)) != nil else { return }
    broadcastTyping(.userStoppedTyping, room, identity, now: now)
  }

  private mutating func broadcastTyping(
    _ kind: RelayFrame.Kind, _ room: RoomName, _ identity: Identity, now: Now
  ) {
    guard relayState == .connected else { return }  // best effort: nothing typed waits for Redis
    let stamp = stamp(now)
    let envelope = RelayEnvelope.member(
      kind, room: room, user: identity, timestamp: stamp, node: configuration.instance, scratch: &scratch)
    scratch.removeAll()
    envelope.appendRelayFrame(to: &scratch, token: generationToken)
    ask(.tell(room, scratch.array()), .nothing)
  }

  /// A node told.
  mutating func typingChanged(_ frame: RelayFrame, _ bytes: RawSpan, now: Now) {
    guard let room = frame.room, let number = roomNumbers[room], let user = frame.senderID else { return }
    guard frame.kind == .userTyping else {
      return endTyping(room: room, user: user, isTold: false, now: now)
    }
    let key = TypingTable.Key(room: room, user: UserKey(user))
    let until = now.monotonic + TypingTable.lifetime
    typing.expire(key, at: until)
    if typing.active[key] != nil {
      typing.active[key]!.until = until
      return
    }
    guard let identity = Identity(frame, in: bytes) else { return }
    typing.active[key] = (until, identity)
    tell(number, frame, bytes, except: user)
  }

  /// Ends a user's typing; members hear of it unless they are told something that says so anyway.
  mutating func endTyping(room: RoomName, user: String, isTold: Bool, now: Now) {
    guard let entry = typing.active.removeValue(forKey: TypingTable.Key(room: room, user: UserKey(user))), !isTold,
      let number = roomNumbers[room]
    else { return }
    let stamp = stamp(now)
    let envelope = RelayEnvelope.member(
      .userStoppedTyping, room: room, user: entry.identity, timestamp: stamp, node: configuration.instance,
      scratch: &scratch)
    let text = write { envelope.appendClientFrame(to: &$0) }
    output.actions.append(.item(number, RoomItem(text: text, ownUser: localUser(user))))
  }

  mutating func tickTyping(now: Now) {
    while let key = typing.popDue(now: now.monotonic) {
      if let last = typing.told[key], last + TypingTable.lifetime <= now.monotonic { typing.told[key] = nil }
      guard let entry = typing.active[key], entry.until <= now.monotonic else { continue }
      endTyping(room: key.room, user: key.user.id, isTold: false, now: now)
    }
  }
}
