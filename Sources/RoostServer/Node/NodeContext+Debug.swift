import EventLoops
import RealtimeCore
import Telemetry

// A look into one node, as `GET /api/debug` shows it and SIGUSR1 writes it to the log: the hub, each shard with what
// waits for its clients, and how long the loops keep those waiting who are ready.

/// Names and numbers, in order.
typealias DebugValues = [(name: StaticString, number: Int)]

extension HubReport {
  fileprivate var values: DebugValues {
    [
      ("connections", connections), ("users", users), ("rooms", rooms), ("relay_queue", pendingMessages),
      ("remembered_bytes", rememberedBytes), ("revocations", revocations),
    ]
  }
}

extension LoopTimes {
  /// Turns since the start, and in microseconds: the turn that is on, the mean, and what 99 of 100 do not exceed.
  fileprivate var values: DebugValues {
    let turns = histogram
    let mean = turns.count == 0 ? 0 : turns.sum / Double(turns.count)
    return [
      ("turns", Int(turns.count)), ("turn_us", Int(seconds(now: monotonicNanoseconds()) * 1e6)),
      ("mean_turn_us", Int(mean * 1e6)), ("p99_turn_us", Int((turns.bound(ofShare: 0.99) * 1e6).rounded())),
    ]
  }
}

extension NodeContext {
  private var shardValues: [DebugValues] {
    zip(counters, backlogs).map { counters, backlogs in
      let (counters, backlogs) = (counters.snapshot, backlogs.latest)
      return [
        ("connections", counters.open), ("received", counters.received), ("sent", counters.sent),
        ("sends", counters.sends), ("slow_clients", backlogs.clients), ("queued_messages", backlogs.messages),
        ("queued_bytes", backlogs.bytes), ("replay_messages", backlogs.replayMessages),
      ]
    }
  }

  /// A JSON object.
  var debugText: String {
    func members(_ values: DebugValues) -> String {
      values.map { #""\#($0.name)":\#($0.number)"# }.joined(separator: ",")
    }
    let hub = hubReport.latest
    let trouble = hub.relayTrouble.map { #","trouble":"\#($0.rawValue)""# } ?? ""
    let shards = shardValues.enumerated().map { #"{"shard":\#($0.offset),\#(members($0.element))}"# }
    let turns = loops.map { #"{"loop":"\#($0.name)",\#(members($0.values))}"# }
    return #"{"relay":"\#(hub.relayState)"\#(trouble),"hub":{\#(members(hub.values))},"#
      + #""shards":[\#(shards.joined(separator: ","))],"loops":[\#(turns.joined(separator: ","))]}"#
  }

  func writeState(to log: Log) {
    func fields(_ values: DebugValues) -> LogFields {
      values.reduce([:]) { $0 + [$1.name: .integer($1.number)] }
    }
    let hub = hubReport.latest
    let relay: LogFields = [
      "relay": .string("\(hub.relayState)"), "trouble": .string(hub.relayTrouble?.rawValue ?? ""),
    ]
    log.info("hub", relay + fields(hub.values))
    for (index, values) in shardValues.enumerated() { log.info("shard", ["shard": .integer(index)] + fields(values)) }
    for loop in loops { log.info("loop", ["loop": .string(loop.name)] + fields(loop.values)) }
  }
}
