import RoostClient

/// What only a node itself knows, over the time between two looks at it. `nil` is what it did not tell.
struct NodeFigures {
  let url: String
  var connections: Double?
  /// Messages from clients, messages of rooms and their copies for members, each a second.
  var received: Double?
  var roomMessages: Double?
  var delivered: Double?
  /// Seconds until a message is stored.
  var relayMedian: Double?
  var relayNearWorst: Double?
  /// Seconds that others wait for their turn.
  var lagNearWorst: Double?
  /// Of one core.
  var processor: Double?
  var memory: Double?
  var relay = "-"
  /// Why figures are missing, in words.
  var remark: String?

  init(_ url: String, _ before: NodeMetrics?, _ now: NodeMetrics?) {
    self.url = url
    guard let now else {
      remark = "gives no /metrics here; with --admin-port they are on that port"
      return
    }
    connections = now["roost_connections"]
    memory = now["process_resident_memory_bytes"]
    relay = now.state
    guard let before, now.isSameProcess(as: before) else {
      remark = before == nil ? nil : "is answered by several nodes in turn: name the nodes themselves"
      return
    }
    received = now.rate("roost_messages_received_total", since: before)
    roomMessages = now.rate("roost_room_messages_total", since: before)
    delivered = now.rate("roost_deliveries_total", since: before)
    relayMedian = now.quantile(0.5, "roost_relay_latency_seconds", since: before)
    relayNearWorst = now.quantile(0.99, "roost_relay_latency_seconds", since: before)
    lagNearWorst = now.quantile(0.99, "roost_loop_lag_seconds", since: before)
    processor = now.rate("process_cpu_seconds_total", since: before)
  }

  var json: JSONText {
    let members: [(String, Double?)] = [
      ("connections", connections), ("received_per_second", received), ("room_messages_per_second", roomMessages),
      ("deliveries_per_second", delivered), ("relay_latency_p50_seconds", relayMedian),
      ("relay_latency_p99_seconds", relayNearWorst), ("loop_lag_p99_seconds", lagNearWorst),
      ("cpu_cores", processor), ("resident_bytes", memory),
    ]
    let figures = members.map { "\"\($0.0)\":\($0.1.map { "\($0)" } ?? "null")" }.joined(separator: ",")
    let text = "{\"url\":\(JSONText(string: url)),\"relay\":\(JSONText(string: relay)),\(figures)}"
    return JSONText(text) ?? JSONText(["url": JSONText(string: url)])
  }
}
