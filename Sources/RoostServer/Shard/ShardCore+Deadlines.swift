import Buffers
import EventLoops
import HTTPCore
import RealtimeCore
import Transport
import WebSocketCore

// Each connection has one entry among the loop's timers that counts: the earliest moment something may be due. An
// entry that was overtaken by an earlier one is recognised when it comes up, and forgotten.
extension ShardCore {
  /// Asks for a look at the connection at `deadline`, unless one comes earlier anyway.
  mutating func arm(_ slot: UInt32, at deadline: Int64) {
    guard deadline < connections[slot].timer else { return }
    connections[slot].timer = deadline
    timers.add(deadline: deadline, token: id(slot).rawValue)
  }

  mutating func runTimers() {
    while let token = timers.popExpired(now: now.monotonic) {
      if token == Token.timers {
        shardTimer()
        continue
      }
      let id = ConnectionID(rawValue: token)
      guard connections.contains(id.key), connections[id.slot].timer <= now.monotonic else { continue }
      connections[id.slot].timer = .max
      let next = check(id.slot)
      if next != .max, connections.contains(id.key) { arm(id.slot, at: next) }
    }
  }

  private mutating func shardTimer() {
    if now.monotonic >= acceptsAgainAt { resumeAccepting() }
    if now.monotonic >= samplesBacklogsAt { sampleBacklogs() }
    sendSomeAway()
  }

  /// Does what is due for the connection, and says when to look again.
  private mutating func check(_ slot: UInt32) -> Int64 {
    if let backlog = connections[slot].backlog {
      let due = backlog.lastProgress + rules.write
      guard due > now.monotonic else {
        if connections[slot].phase == .open {
          closed(slot, .stalled)
          warnSlow(slot, "stalled")
        }
        destroy(slot)
        return .max
      }
      return min(due, checkPhase(slot))
    }
    return checkPhase(slot)
  }

  private mutating func checkPhase(_ slot: UInt32) -> Int64 {
    let deadline = connections[slot].deadline
    let isDue = deadline != 0 && deadline <= now.monotonic
    switch connections[slot].phase {
    case .request:
      if isDue { requestTimeout(slot) }
    case .body:
      if isDue { bodyTimeout(slot) }
    case .waiting:
      if isDue { unanswered(slot) }
    case .lingering:
      if isDue { lose(slot) }
    case .open:
      return isDue ? openDeadline(slot) : min(deadline == 0 ? .max : deadline, checkOpen(slot))
    }
    return isDue ? .max : deadline
  }

  /// A close frame was not answered, or a message in pieces not completed.
  private mutating func openDeadline(_ slot: UInt32) -> Int64 {
    guard connections[slot].closing.acceptsData else {
      lose(slot)
      return .max
    }
    connections[slot].deadline = 0
    close(slot, .unfinishedMessage)
    return .max
  }

  private mutating func checkOpen(_ slot: UInt32) -> Int64 {
    guard connections[slot].closing.acceptsData else { return .max }
    let tokenDue = checkToken(slot)
    guard connections[slot].closing.acceptsData else { return .max }
    return min(tokenDue, heartbeat(slot))
  }

  private mutating func heartbeat(_ slot: UInt32) -> Int64 {
    if let end = pauseEnd(slot) { return end }
    switch connections[slot].heartbeat.tick(now: second, patience: rules.patience) {
    case .wait(let until): return Int64(until) * 1_000
    case .sendPing(let until):
      outbox.reply(to: slot) { FrameWriter.appendHeader(.ping, payloadBytes: 0, to: &$0) }
      return Int64(until) * 1_000
    case .giveUp:
      closed(slot, .silent)
      destroy(slot)
      return .max
    }
  }

  /// The hub is too busy, or stopped.
  private mutating func unanswered(_ slot: UInt32) {
    if parked[slot] != nil { return judgeAgain(slot) }
    if calls[slot] != nil {
      callRefused(.noAnswer)
    } else if !connections[slot].flags.contains(.asksOnline) {
      refused(.noAnswer)
    }
    answer(slot, .unavailable("no answer in time", retryAfter: retryAfter()))
  }

  /// 408 for a request that did not come in time; silence for a connection that was only kept open.
  private mutating func requestTimeout(_ slot: UInt32) {
    guard connections[slot].socket.isEstablished else { return refuseTLS(slot) }
    let isIdle = connections[slot].flags.contains(.hasServed) && connections[slot].leftover.isEmpty
    guard !isIdle else { return destroy(slot) }
    refused(.timeout)
    answer(slot, .requestTimeout())
  }
}
