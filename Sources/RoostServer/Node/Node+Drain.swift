import EventLoops
import Glibc
import RealtimeCore
import RedisRelay
import Synchronization
import Telemetry

// SPEC section 8, "Drain":
//
//     not ready ── drain-wait ──► clients are sent away over drain-window ──► their last answers ──► departed
//                                                                │
//                                                 drain-deadline: the rest is closed with 1001
extension Node {
  /// Microseconds between looks at the shards' counters, which are written without telling anybody: for once in a
  /// process' life nothing on a message's path shall do more.
  private static let pause: UInt32 = 10_000
  /// The relay may take so long to hear that the node is gone, in milliseconds.
  private static let departurePatience: Int64 = 1_000

  /// Sends all clients to other nodes; returns when they are gone or the time for it is over. ``stop()`` comes next.
  ///
  /// From the first moment on the node is not ready and takes no new WebSockets. Blocks, for up to the deadline of the
  /// configuration: not for a thread that others wait for. Once; a second call returns at once.
  public func drain() {
    guard !context.isDraining.exchange(true, ordering: .relaxed) else { return }
    let settings = context.configuration.drain
    let table = DrainTimetable(settings.timetable, connections: connectionCount, now: monotonicMilliseconds())
    tellHub(.beginDrain)
    wait(until: table.sendsAwayAt) { connectionCount == 0 }
    log.info("sending clients away", ["connections": .integer(context.total.open)])
    tellShards(.drain(overMilliseconds: table.window))
    waitUntilEmpty(until: table.lastWordsAt)
    if context.total.open > 0 {
      log.warning("clients left at the deadline", ["connections": .integer(context.total.open)])
      tellShards(.lastWords)
      waitUntilEmpty(until: table.stopsAt)
    }
    tellHub(.depart(graceMilliseconds: Int(settings.returnGrace)))
    let patience = min(table.stopsAt, monotonicMilliseconds() + Self.departurePatience)
    wait(until: patience) { context.hubReport.latest.hasDeparted }
  }

  /// Until no connection is there, or only such as are no WebSockets: those close after an answer, or say nothing.
  private func waitUntilEmpty(until deadline: Int64) {
    var closedAt: Int64?
    // Close frames that were not answered are waited for so long, and no longer.
    let lingering = Int64(context.configuration.times.close) * 1_000 + 200
    wait(until: deadline) {
      guard connectionCount > 0 else { return true }
      guard context.total.open == 0 else {
        closedAt = nil
        return false
      }
      let since = closedAt ?? monotonicMilliseconds()
      closedAt = since
      return monotonicMilliseconds() - since >= lingering
    }
  }

  private func wait(until deadline: Int64, _ isOver: () -> Bool) {
    while !isOver() && monotonicMilliseconds() < deadline { usleep(Self.pause) }
  }

  private func tellShards(_ command: ShardCommand) {
    for shard in shards { shard.inbox.post(Parcel(commands: [command], frames: [])) }
  }

  private func tellHub(_ command: HubCommand) {
    shards[0].inbox.post(Parcel(commands: [.hub(command)], frames: []))
  }
}
