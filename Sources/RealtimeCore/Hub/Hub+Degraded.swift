import Buffers

// While the relay is away: clients are told once when it begins and once when it ends, and what they send meanwhile is
// refused in words that are true. A suspicion is not told: most end by themselves.

/// How the relay is doing, as far as the hub acts on it.
struct RelayStanding {
  var state = RelayState.starting
  var trouble: RelayTrouble?
  /// Since when clients know that messages are not delivered; it ends when the relay is connected again.
  var degradedSince: Int64?
  /// What was delivered on this node alone, so that a client that says it again is not heard twice.
  var localDeliveries = RecentIDs()

  /// Nothing waits any more that was sent before: an answer at once is as true as one after the patience.
  func isHopeless(now: Int64) -> Bool { degradedSince.map { now - $0 >= Hub.publishPatience } ?? false }
}

extension Hub {
  public var relayState: RelayState { standing.state }
  var isDegraded: Bool { standing.degradedSince != nil }

  mutating func relayChanged(to state: RelayState, now: Now) {
    guard state != standing.state else { return }
    standing.state = state
    output.actions.append(.notice(.relayState(state)))
    if state == .degraded, !isDegraded {
      standing.degradedSince = now.monotonic
      tellEverybody()
      tellOldRevocations()
    }
    guard state == .connected else { return }
    if isDegraded {
      standing.degradedSince = nil
      tellEverybody()
    }
    readRevocations(now: now)
    // Whatever waited for its retry goes now.
    presence.retryNow(now: now.monotonic)
    for slot in 0..<UInt32(rooms.slotCount) where rooms.isInUse(slot) {
      (rooms[slot].rosterRetry, rooms[slot].pastRetry) = (Retry(), Retry())
      for index in rooms[slot].returners.indices {
        if case .waits = rooms[slot].returners[index].state { rooms[slot].returners[index].state = .asks }
      }
      rooms[slot].outbox?.retryNow()
      mark(slot)
    }
  }

  private mutating func tellEverybody() {
    let isDegraded = isDegraded
    output.actions.append(.everyone(write { ServerMessage.appendRelayStatus(isDegraded: isDegraded, to: &$0) }))
  }

  /// Who comes while the relay is away learns it with the first message.
  mutating func tellNewcomer(_ connection: ConnectionID) {
    guard isDegraded else { return }
    output.actions.append(.text(connection, write { ServerMessage.appendRelayStatus(isDegraded: true, to: &$0) }))
  }

  /// Refuses or delivers a message here, if that is all that can be done for it now.
  mutating func settleDegraded(
    _ text: ClientText, from connection: ConnectionID, user: UserNumber, in number: RoomNumber, now: Now
  ) -> Bool {
    guard isDegraded else { return false }
    if configuration.deliversLocally {
      deliverLocally(text, from: connection, user: user, in: number, now: now)
      return true
    }
    guard standing.isHopeless(now: now.monotonic) else { return false }
    refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: Array(text.bytes[text.id]))
    return true
  }

  /// To the members on this node, without a number and marked; the sender is told that it went no further. It is
  /// never sent again, and a client that repeats its id is not heard twice.
  private mutating func deliverLocally(
    _ text: ClientText, from connection: ConnectionID, user: UserNumber, in number: RoomNumber, now: Now
  ) {
    let id = Array(text.bytes[text.id])
    let identity = users[user].identity
    if !id.isEmpty {
      var hasher = Hasher()
      hasher.combine(identity.user)
      hasher.combine(rooms[number].name)
      hasher.combine(id)
      guard standing.localDeliveries.insert(hasher.finalize()) else {
        return refuse(connection, .deliveredLocally, id: id)
      }
    }
    counters.localDeliveries += 1
    let envelope = envelope(text, sender: identity, origin: connection, room: number, now: now)
    var item = RoomItem(text: write { envelope.appendClientFrame(to: &$0, isDegraded: true) }, origin: connection)
    counters.errors[.relayUnavailable, default: 0] += 1
    item.ack = write { ServerMessage.appendError(.deliveredLocally, id: unsafe id.span.bytes, to: &$0) }
    item.ownUser = user
    item.ownText = write { envelope.appendClientFrame(to: &$0, includingClientID: true, isDegraded: true) }
    output.actions.append(.item(number, item))
  }
}

/// When something that failed may be tried again.
struct Retry {
  private(set) var failures = 0
  var at: Int64 = .min

  mutating func failed(at due: Int64) {
    failures += 1
    at = due
  }
}
