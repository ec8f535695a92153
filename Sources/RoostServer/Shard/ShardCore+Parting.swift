import Buffers
import EventLoops
import RealtimeCore
import Synchronization
import WebSocketCore

// Clients are sent elsewhere one by one, when the node drains or has too many:
//
//     server_draining ─ half a second ─► not read any more ─► (hub) everything said has its answer ─► close 1012
//
// A client that knows the message says nothing new after it, so that nothing of its is on the way when its connection
// ends. What others had on the way is not read; they send it again where they come back.
extension ShardCore {
  /// How long a client has between being told and being closed, in milliseconds.
  private static let notice: Int64 = 500

  /// The node drains.
  mutating func sendAllAway(over milliseconds: Int64) {
    var count = 0
    for slot in 0..<UInt32(connections.slotCount) where connections.isInUse(slot) {
      if mayBeSentAway(slot) { count += 1 } else if isIdle(slot) { destroy(slot) }
    }
    parting.cursor = 0
    sendAway(count, over: milliseconds)
  }

  /// Others have fewer; who drains sends all away anyway.
  mutating func shed(_ count: Int, over milliseconds: Int64) {
    guard !context.isDraining.load(ordering: .relaxed) else { return }
    sendAway(count, over: milliseconds)
  }

  private mutating func sendAway(_ count: Int, over milliseconds: Int64) {
    let share = (index: Int(index), of: context.counters.count)
    parting.pace = DrainPace(count: count, over: milliseconds, from: now.monotonic, share: share)
    sendSomeAway()
  }

  /// Does what is due, and asks to be woken for the rest.
  mutating func sendSomeAway() {
    if parting.timer <= now.monotonic { parting.timer = .max }
    for _ in 0..<(parting.pace?.take(now: now.monotonic) ?? 0) {
      guard let slot = nextToSendAway() else {
        parting.pace = nil
        break
      }
      tellToGo(slot)
    }
    while let id = parting.popDue(now: now.monotonic) { letGo(id) }
    guard let due = parting.nextDue, due < parting.timer else { return }
    parting.timer = due
    timers.add(deadline: due, token: Token.timers)
  }

  private func mayBeSentAway(_ slot: UInt32) -> Bool {
    connections.isInUse(slot) && connections[slot].phase == .open && connections[slot].closing.acceptsData
      && !connections[slot].flags.contains(.isSentAway)
  }

  /// Served, and kept open for another request that did not come.
  private func isIdle(_ slot: UInt32) -> Bool {
    connections[slot].phase == .request && connections[slot].flags.contains(.hasServed)
      && connections[slot].leftover.isEmpty && connections[slot].backlog == nil
  }

  private mutating func nextToSendAway() -> UInt32? {
    let slots = UInt32(connections.slotCount)
    for _ in 0..<slots {
      let slot = parting.cursor < slots ? parting.cursor : 0
      parting.cursor = slot + 1
      if mayBeSentAway(slot) { return slot }
    }
    return nil
  }

  private mutating func tellToGo(_ slot: UInt32) {
    connections[slot].flags.insert(.isSentAway)
    // The echo endpoint speaks no JSON.
    guard connections[slot].flags.contains(.isKnownToHub) else { return close(slot, partingReason) }
    let wait = reconnectWait()
    reply(slot) { ServerMessage.appendServerDraining(reconnectAfterMilliseconds: wait, to: &$0) }
    parting.append(id(slot), due: now.monotonic + Self.notice)
  }

  private mutating func letGo(_ id: ConnectionID) {
    guard isOpen(id) else { return }
    // Everything that was read is before this in the hub's order, and so is everything that it answers.
    setReading(id.slot, false)
    hubCommands.append(.sendAway(id))
  }

  /// The hub ends a connection.
  mutating func close(_ id: ConnectionID, _ cause: ClosingCause) {
    guard isOpen(id) else { return }
    close(id.slot, cause == .sentAway ? partingReason : CloseReason(cause), words: cause.words)
    // For the peer's close frame.
    if cause == .sentAway { setReading(id.slot, true) }
  }

  private var partingReason: CloseReason { context.isDraining.load(ordering: .relaxed) ? .draining : .rebalancing }

  /// The time is over.
  mutating func sayLastWords() {
    parting.pace = nil
    for slot in 0..<UInt32(connections.slotCount) where connections.isInUse(slot) && isOpen(id(slot)) {
      close(slot, .shuttingDown)
      setReading(slot, true)
    }
  }

  /// Another wait for each, up to the longest.
  private mutating func reconnectWait() -> Int {
    retries = retries &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(retries >> 33) % (rules.reconnectSpread + 1)
  }
}
