import Buffers
import EventLoops
import RealtimeCore
import WebSocketCore

// Who sends more bytes than its share is not read for a while. It loses nothing and is told nothing: its own kernel
// makes it wait.
extension ShardCore {
  /// Counts bytes that came; reading pauses when they are too many, and ends when the connection is ending anyway.
  @inline(__always)
  mutating func charge(_ slot: UInt32, _ bytes: Int) {
    switch connections[slot].phase {
    case .open where connections[slot].closing.acceptsData:
      guard let intake = rules.intake, !connections[slot].flags.contains(.echoes) else { return }
      let wait = connections[slot].intake.take(bytes, at: now.monotonic * 1_000_000, rules: intake)
      if wait > 0 { pause(slot, milliseconds: wait) }
    case .open, .lingering: discard(slot, bytes)
    case .request, .body, .waiting: return
    }
  }

  /// A closed connection is read for the peer's close frame, and so that the peer may read ours. For that it may be
  /// late with what was on its way, not go on for as long as we wait: it could keep us reading gigabytes.
  private mutating func discard(_ slot: UInt32, _ bytes: Int) {
    let wait = connections[slot].intake.take(bytes, at: now.monotonic * 1_000_000, rules: rules.lastIntake)
    if wait > 0 { setReading(slot, false) }
  }

  private mutating func pause(_ slot: UInt32, milliseconds: Int64) {
    guard !connections[slot].flags.contains(.isPaused) else { return }
    counters.pauses &+= 1
    connections[slot].flags.insert(.isPaused)
    // A message in pieces cannot go on meanwhile.
    if connections[slot].deadline != 0 { connections[slot].deadline += milliseconds }
    setInterest(slot)
    arm(slot, at: now.monotonic + milliseconds)
  }

  /// How long the connection is still not read, in milliseconds: 0 for one that is.
  func pauseLeft(_ slot: UInt32) -> Int64 {
    guard let intake = rules.intake, connections[slot].flags.contains(.isPaused) else { return 0 }
    return connections[slot].intake.debt(at: now.monotonic * 1_000_000, rules: intake)
  }

  /// When to look at a paused connection again; `nil` when it is read, perhaps from now on.
  mutating func pauseEnd(_ slot: UInt32) -> Int64? {
    guard connections[slot].flags.contains(.isPaused) else { return nil }
    let left = pauseLeft(slot)
    guard left == 0 else { return now.monotonic + left }
    // What it may have said meanwhile was not heard.
    connections[slot].heartbeat.heard(now: second)
    readAgain(slot)
    return nil
  }

  private mutating func readAgain(_ slot: UInt32) {
    guard connections[slot].flags.contains(.isPaused) else { return }
    connections[slot].flags.remove(.isPaused)
    setInterest(slot)
  }

  /// The connection is closing. What it sends from now on is counted anew.
  mutating func endIntake(_ slot: UInt32) {
    connections[slot].intake = Intake()
    readAgain(slot)
  }
}
