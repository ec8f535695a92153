import Buffers

extension Hub {
  mutating func tickPresence(now: Now) {
    presence.endGraces(now: now.monotonic)
    if presence.heartbeatAt <= now.monotonic {
      presence.heartbeatAt = now.monotonic + Presence.heartbeatInterval
      beat()
    }
    if presence.maySpeak, let due = presence.countAt, due <= now.monotonic {
      presence.countAt = nil
      ask(
        .countConnections(incarnation: presence.incarnation, connections.count),
        .lease(.connections, incarnation: presence.incarnation))
    }
  }

  /// Renews the lease, or tries again to get one.
  private mutating func beat() {
    guard relayState != .starting else { return }
    guard !presence.isDeparted else { return departAgain() }
    if presence.isRegistered {
      ask(
        .heartbeat(
          incarnation: presence.incarnation, connections: connections.count, isDraining: presence.isDraining),
        .lease(.heartbeat, incarnation: presence.incarnation))
    } else if !presence.isRegistering {
      register(replacing: nil)
    }
  }

  mutating func sendPresenceChanges(now: Now) {
    guard let batch = presence.takeBatch(now: now.monotonic) else { return }
    ask(
      .changePresence(incarnation: presence.incarnation, batch),
      .presence(incarnation: presence.incarnation))
    for room in presence.takeSleepers() { mark(room) }
  }

  mutating func presenceAnswered(incarnation: String, _ reply: RelayReply, now: Now) {
    guard incarnation == presence.incarnation else { return }  // everything was made known again since
    switch reply {
    case .presenceChanged:
      presence.settled()
    case .fenced:
      fenced(now: now)
    default:
      presence.putBack(now: now.monotonic)
    }
  }

  // MARK: Lease

  mutating func generationBegan(token: String, now: Now) {
    let isFirst = generationToken.isEmpty
    generationToken = token
    if isFirst {
      register(replacing: nil)
    } else {
      startAnew()
    }
    clearAllRings()
    doubtAllRooms(now: now)
    doubtRosters(isNewGeneration: !isFirst, now: now)
    doubtRevocations(isNewGeneration: true, now: now)
  }

  mutating func leaseAnswered(_ question: LeaseQuestion, incarnation: String, _ reply: RelayReply, now: Now) {
    guard incarnation == presence.incarnation else { return }
    switch (question, reply) {
    case (.departure, .fenced):
      presence.hasDeparted = true
    case (_, .fenced):
      fenced(now: now)
    case (.register, .alive(let nodes, let expired)):
      presence.isRegistering = false
      presence.isRegistered = true
      presence.countAt = now.monotonic
      presence.learn(nodes: nodes, now: now.monotonic)
      reap(expired)
    case (.heartbeat, .alive(let nodes, let expired)):
      presence.learn(nodes: nodes, now: now.monotonic)
      rebalance(now: now)
      reap(expired)
    case (.register, _):
      presence.isRegistering = false
      presence.beatAgain(now: now.monotonic)
    case (.heartbeat, _):
      presence.beatAgain(now: now.monotonic)
    case (.connections, .failed):
      presence.countLater(now: now.monotonic)
    case (.departure, .presenceChanged):
      presence.hasDeparted = true
    case (.departure, _):
      presence.beatAgain(now: now.monotonic)
    default: break
    }
  }

  /// The lease was lost while this process slept: others have counted its users out.
  private mutating func fenced(now: Now) {
    guard presence.isRegistered else { return }
    counters.fenced += 1
    output.actions.append(.notice(.fenced(incarnation: presence.incarnation)))
    startAnew()
  }

  /// Makes everything known again under a new name. Each change is announced: who keeps a roster that has the user
  /// tells nobody, and no roster made meanwhile lacks him for good.
  private mutating func startAnew() {
    guard !presence.isDeparted else { return }
    register(replacing: presence.renew())
    for slot in 0..<UInt32(users.slotCount) where users.isInUse(slot) {
      presence.change(room: nil, users[slot].identity, isJoin: true)
      beginsAnew(slot)
    }
    for slot in 0..<UInt32(rooms.slotCount) where rooms.isInUse(slot) {
      for user in rooms[slot].users.keys {
        let (name, identity) = (rooms[slot].name, users[user].identity)
        presence.change(room: name, identity, isJoin: true)
      }
    }
  }

  private mutating func register(replacing old: String?) {
    presence.isRegistering = true
    ask(
      .register(incarnation: presence.incarnation, replaces: old, connections: connections.count),
      .lease(.register, incarnation: presence.incarnation))
  }

  // MARK: Reaping

  private mutating func reap(_ expired: [String]) {
    for incarnation in expired where presence.reaping.insert(incarnation).inserted {
      ask(.reap(incarnation: incarnation), .reap(incarnation))
    }
  }

  mutating func reapAnswered(_ incarnation: String, _ reply: RelayReply) {
    guard case .reaped(let isDone) = reply else {
      presence.reaping.remove(incarnation)  // the next heartbeat names it again
      return
    }
    guard isDone else { return ask(.reap(incarnation: incarnation), .reap(incarnation)) }
    presence.reaping.remove(incarnation)
    counters.reaped += 1
    output.actions.append(.notice(.reaped(incarnation: incarnation)))
  }
}
