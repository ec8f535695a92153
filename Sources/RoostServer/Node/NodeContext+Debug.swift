import RealtimeCore
import Telemetry

// A look into one node, as `GET /api/debug` shows it and SIGUSR1 writes it to the log: the hub, and each shard with
// what waits for its clients.

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

extension NodeContext {
  private var shardValues: [DebugValues] {
    zip(counters, backlogs).map { counters, backlogs in
      let (counters, backlogs) = (counters.snapshot, backlogs.latest)
      return [
        ("connections", counters.open), ("turns", counters.turns), ("received", counters.received),
        ("sent", counters.sent), ("sends", counters.sends), ("slow_clients", backlogs.clients),
        ("queued_messages", backlogs.messages), ("queued_bytes", backlogs.bytes),
        ("replay_messages", backlogs.replayMessages),
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
    return #"{"relay":"\#(hub.relayState)"\#(trouble),"hub":{\#(members(hub.values))},"#
      + #""shards":[\#(shards.joined(separator: ","))]}"#
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
  }
}
