import Telemetry

extension NodeContext {
  /// Prometheus' text of this node.
  var metrics: [UInt8] {
    let shards = counters.map(\.snapshot)
    let total = shards.reduce(ShardCounters(), +)
    var text = MetricsText()
    text.write(Metric.connections, total.open)
    text.write(Metric.accepted, total.accepted)
    text.write(Metric.opened, total.opened)
    text.write(Metric.refused, total.refused)
    text.write(Metric.received, total.received)
    text.write(Metric.sent, total.sent)
    text.write(Metric.sends, total.sends)
    text.write(Metric.mistakes, total.mistakes)
    text.write(Metric.dropped, [.init(["slow"], .integer(total.tooSlow)), .init(["silent"], .integer(total.silent))])
    text.write(
      Metric.turns, shards.enumerated().map { .init([String($0.offset)], .integer($0.element.turns)) })
    hubReport.latest.write(to: &text)
    ProcessMetrics.read()?.write(to: &text)
    return text.bytes
  }
}

private enum Metric {
  static let connections = MetricDescription("roost_connections", .gauge, help: "Open WebSockets.")
  static let accepted = MetricDescription("roost_accepted_total", .counter, help: "Accepted sockets.")
  static let opened = MetricDescription("roost_opened_total", .counter, help: "Completed handshakes.")
  static let refused = MetricDescription("roost_refused_total", .counter, help: "Handshakes turned away.")
  static let received = MetricDescription("roost_messages_received_total", .counter, help: "Messages from clients.")
  static let sent = MetricDescription("roost_messages_sent_total", .counter, help: "Messages to clients.")
  static let sends = MetricDescription("roost_sends_total", .counter, help: "Send calls: below messages sent is good.")
  static let mistakes = MetricDescription("roost_mistakes_total", .counter, help: "Refused messages and requests.")
  static let dropped = MetricDescription(
    "roost_dropped_total", .counter, labels: ["reason"], help: "Connections ended because their client did not keep up."
  )
  static let turns = MetricDescription("roost_turns_total", .counter, labels: ["shard"], help: "Turns of the loop.")
}
