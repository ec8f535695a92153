import Buffers
import EventLoops
import HTTPCore
import RealtimeCore
import Synchronization
import Telemetry
import WebSocketCore

extension ShardCore {
  /// Decides about an upgrade, cheapest questions first, so that no flood buys a signature check.
  mutating func handshake(_ slot: UInt32, _ head: RequestHead, _ bytes: RawSpan, isEcho: Bool) {
    do {
      try checkRoom(slot, isCounted: arrive(slot, head, bytes))
      let upgrade = try Upgrade(head, in: bytes, compresses: context.configuration.compression.isEnabled)
      connections[slot].windowBits = upgrade.compression?.serverWindowBits ?? 0
      if isEcho { return openEcho(slot, upgrade) }
      try context.configuration.origins.check(head, in: bytes)
      let token = try BearerToken(head, in: bytes)
      let response = upgrade.response(subprotocol: token.subprotocol)
      guard let grant = try judge(slot, token.bytes, response) else { return }
      ask(slot, grant, response)
    } catch {
      refused(error.reason, slot)
      answer(slot, error.response)
    }
  }

  /// The node's and the address' limits.
  private mutating func checkRoom(_ slot: UInt32, isCounted: Bool) throws(Refused) {
    guard isCounted else { throw Refused(.addressLimit, .tooManyRequests(retryAfter: retryAfter())) }
    if connections[slot].flags.contains(.isOverNodeLimit) {
      throw Refused(.nodeFull, .unavailable("node is full", retryAfter: retryAfter()))
    }
    if context.isDraining.load(ordering: .relaxed) {
      throw Refused(.draining, .unavailable("node is draining", retryAfter: retryAfter()))
    }
    // With TLS a connection's first one was counted when it came.
    let wasCounted = context.tls != nil && connections[slot].flags.isDisjoint(with: [.isFromProxy, .hasServed])
    guard wasCounted || context.mayConnect() else {
      throw Refused(.nodeRate, .tooManyRequests(retryAfter: retryAfter()))
    }
  }

  /// Asks the hub for a place; the 101 is ready and waits.
  mutating func ask(_ slot: UInt32, _ grant: TokenGrant, _ response: [UInt8]) {
    connections[slot].flags.insert(.isKnownToHub)
    connections[slot].renew(grant)
    handshakes[slot] = response
    awaitHub(slot)
    hubCommands.append(.connect(id(slot), grant.identity, grant.stamp))
  }

  mutating func admit(_ id: ConnectionID, _ user: UserNumber) {
    // Gone or given up meanwhile: the hub hears of it anyway.
    guard isWaiting(id), let response = handshakes.removeValue(forKey: id.slot) else { return }
    guard !context.isDraining.load(ordering: .relaxed) else { return refuseLate(id) }
    connections[id.slot].user = user
    open(id.slot, response)
    let due = checkToken(id.slot)
    if due != .max { arm(id.slot, at: due) }
    goOn(id.slot)
  }

  /// The node began to drain while the hub made room.
  private mutating func refuseLate(_ id: ConnectionID) {
    farewell(id.slot, .left)
    refused(.draining)
    answer(id.slot, .unavailable("node is draining", retryAfter: retryAfter()))
    goOn(id.slot)
  }

  mutating func refuse(_ id: ConnectionID, _ refusal: Refusal) {
    guard isWaiting(id), handshakes.removeValue(forKey: id.slot) != nil else { return }
    connections[id.slot].flags.remove(.isKnownToHub)
    let turnedAway: Refused =
      switch refusal {
      case .tooManyConnections: Refused(.userLimit, .tooManyRequests(retryAfter: retryAfter()))
      case .revoked: Refused(.revoked, .authenticationRequired())
      case .nodeFull: Refused(.nodeFull, .unavailable("node is full", retryAfter: retryAfter()))
      case .draining: Refused(.draining, .unavailable("node is draining", retryAfter: retryAfter()))
      }
    refused(turnedAway.reason, id.slot)
    answer(id.slot, turnedAway.response)
    goOn(id.slot)
  }

  private func isWaiting(_ id: ConnectionID) -> Bool {
    connections.contains(id.key) && connections[id.slot].phase == .waiting
  }

  private mutating func openEcho(_ slot: UInt32, _ upgrade: Upgrade) {
    connections[slot].flags.insert(.echoes)
    open(slot, upgrade.response(subprotocol: nil))
  }

  private mutating func open(_ slot: UInt32, _ response: [UInt8]) {
    outbox.reply(to: slot) { $0.append(response) }
    connections[slot].phase = .open
    connections[slot].flags.insert(.isOpen)
    connections[slot].deadline = 0
    connections[slot].heartbeat.heard(now: second)
    counters.opened &+= 1
    counters.open += 1
    log.debug("connection opened", who(slot))
    arm(slot, at: now.monotonic + Int64(rules.patience.pingAfter) * 1_000)
  }
}
