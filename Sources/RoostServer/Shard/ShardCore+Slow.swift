import Buffers
import EventLoops
import RealtimeCore
import Telemetry

// Who is slow, for those who run the node.
extension ShardCore {
  /// The connection has a backlog from now on.
  mutating func watch(_ slot: UInt32) {
    slowSlots.insert(slot)
    guard samplesBacklogsAt == .max else { return }
    samplesBacklogsAt = now.monotonic + BacklogReport.interval
    timers.add(deadline: samplesBacklogsAt, token: Token.timers)
  }

  /// Publishes what waits. Goes on as long as anything does.
  mutating func sampleBacklogs() {
    var report = BacklogReport()
    var largest: [(slot: UInt32, bytes: Int)] = []
    for slot in slowSlots {
      guard let backlog = connections[slot].backlog else { continue }
      report.clients += 1
      report.bytes += backlog.byteCount
      report.messages += backlog.messageCount
      report.replayMessages += backlog.replayCount
      let isNamed = largest.count < BacklogReport.namedClients || backlog.byteCount > largest[largest.count - 1].bytes
      guard isNamed else { continue }
      if largest.count == BacklogReport.namedClients { largest.removeLast() }
      let place = largest.firstIndex { $0.bytes < backlog.byteCount } ?? largest.count
      largest.insert((slot, backlog.byteCount), at: place)
    }
    report.slowest = largest.map { slowClient($0.slot) }
    context.backlogs[Int(index)].publish(report)
    samplesBacklogsAt = slowSlots.isEmpty ? .max : now.monotonic + BacklogReport.interval
    if samplesBacklogsAt != .max { timers.add(deadline: samplesBacklogsAt, token: Token.timers) }
  }

  private func slowClient(_ slot: UInt32) -> SlowClient {
    let backlog = connections[slot].backlog
    var muted = 0
    for entry in connections[slot].rooms.indices where connections[slot].rooms[entry].isMuted { muted += 1 }
    return SlowClient(
      connection: id(slot).text,
      address: context.host(of: connections[slot].address), bytes: backlog?.byteCount ?? 0,
      messages: backlog?.messageCount ?? 0, replayMessages: backlog?.replayCount ?? 0, mutedRooms: muted,
      stalledMilliseconds: backlog.map { now.monotonic - $0.lastProgress } ?? 0)
  }

  /// Tells the log that a client is too slow, and what was done about it.
  func warnSlow(_ slot: UInt32, _ action: String) {
    log.warning("client too slow", ["action": .string(action)] + slowClient(slot).fields)
  }
}

extension SlowClient {
  var fields: LogFields {
    [
      "connection": .string(connection), "address": .string(address), "bytes": .integer(bytes),
      "messages": .integer(messages), "replay_messages": .integer(replayMessages), "muted_rooms": .integer(mutedRooms),
      "stalled_ms": .integer(Int(stalledMilliseconds)),
    ]
  }
}

extension Log {
  /// What waits for slow clients, and for whom the most.
  func note(_ report: BacklogReport) {
    info(
      "backlogs",
      [
        "clients": .integer(report.clients), "bytes": .integer(report.bytes), "messages": .integer(report.messages),
        "replay_messages": .integer(report.replayMessages),
      ])
    for client in report.slowest { info("slow client", client.fields) }
  }
}
