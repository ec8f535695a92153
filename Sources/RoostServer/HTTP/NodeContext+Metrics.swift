import RealtimeCore
import Synchronization
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
    text.write(Metric.tokenChecks, tokenChecks.load(ordering: .relaxed))
    text.write(Metric.unfinished, unfinishedCount.load(ordering: .relaxed))
    text.write(Metric.refused, refusals.samples)
    text.write(Metric.callsRefused, callRefusals.samples)
    text.write(Metric.closes, closes.samples)
    text.write(Metric.refusedTokens, keys.refusals.samples)
    if keys.fetches { text.write(Metric.keyFetches, keys.outcomes.samples) }
    text.write(Metric.received, total.received)
    text.write(Metric.sent, total.sent)
    text.write(Metric.sends, total.sends)
    text.write(Metric.mistakes, total.mistakes)
    let hub = hubReport.latest
    text.write(
      Metric.errors,
      ClientMistake.Code.allCases.map { .init($0.labels, .integer(errors[$0] + hub.counters.errors[$0, default: 0])) })
    text.write(Metric.typingDropped, total.ignored)
    text.write(Metric.pausedReads, total.pauses)
    text.write(
      Metric.slow, [.init(["disconnect"], .integer(closes[.tooSlow])), .init(["drop"], .integer(total.muted))])
    text.write(Metric.droppedMessages, total.dropped)
    text.write(Metric.compressed, total.compressed)
    text.write(
      Metric.compressedBytes,
      [.init(["before"], .integer(total.compressedFrom)), .init(["after"], .integer(total.compressedTo))])
    backlogs.map(\.latest).reduce(BacklogReport(), +).write(to: &text)
    text.write(
      Metric.turns, shards.enumerated().map { .init([String($0.offset)], .integer($0.element.turns)) })
    hub.write(to: &text)
    ProcessMetrics.read()?.write(to: &text)
    return text.bytes
  }
}

extension BacklogReport {
  fileprivate func write(to text: inout MetricsText) {
    text.write(Metric.backlogs, clients)
    text.write(Metric.backlogBytes, bytes)
    text.write(Metric.backlogMessages, messages)
    text.write(Metric.replayMessages, replayMessages)
    text.write(Metric.largestBacklog, largestBytes)
  }
}

private enum Metric {
  static let connections = MetricDescription("roost_connections", .gauge, help: "Open WebSockets.")
  static let accepted = MetricDescription("roost_accepted_total", .counter, help: "Accepted sockets.")
  static let opened = MetricDescription("roost_opened_total", .counter, help: "Completed handshakes.")
  static let tokenChecks = MetricDescription(
    "roost_token_checks_total", .counter, help: "Tokens that were verified, at the cost of a signature each.")
  static let unfinished = MetricDescription(
    "roost_handshakes_unfinished", .gauge, help: "Connections whose first request is not complete.")
  static let refused = MetricDescription(
    "roost_handshakes_refused_total", .counter, labels: ["reason"], help: "Handshakes turned away.")
  static let callsRefused = MetricDescription(
    "roost_api_refused_total", .counter, labels: ["reason"], help: "Calls to the API turned away.")
  static let closes = MetricDescription(
    "roost_closes_total", .counter, labels: ["code", "reason"],
    help: "WebSockets that the node ended; 1006: without a close frame, because nobody would read it.")
  static let refusedTokens = MetricDescription(
    "roost_tokens_refused_total", .counter, labels: ["reason"], help: "Tokens refused; clients get one answer for all.")
  static let keyFetches = MetricDescription(
    "roost_key_set_fetches_total", .counter, labels: ["outcome"], help: "Fetches of the set at jwks-url.")
  static let received = MetricDescription("roost_messages_received_total", .counter, help: "Messages from clients.")
  static let sent = MetricDescription("roost_messages_sent_total", .counter, help: "Messages to clients.")
  static let sends = MetricDescription("roost_sends_total", .counter, help: "Send calls: below messages sent is good.")
  static let mistakes = MetricDescription("roost_mistakes_total", .counter, help: "Refused messages and requests.")
  static let slow = MetricDescription(
    "roost_slow_consumers_total", .counter, labels: ["action"],
    help: "Full queues: clients disconnected, or rooms whose messages a client does not get until it is told.")
  static let errors = MetricDescription(
    "roost_errors_total", .counter, labels: ["code"], help: "Errors that clients were told.")
  static let typingDropped = MetricDescription(
    "roost_typing_dropped_total", .counter, help: "Typing that came too often.")
  static let pausedReads = MetricDescription(
    "roost_paused_reads_total", .counter, help: "Pauses in reading clients that sent too many bytes.")
  static let droppedMessages = MetricDescription(
    "roost_messages_dropped_total", .counter, help: "Messages of rooms that slow clients did not get, and were told.")
  static let backlogs = MetricDescription("roost_backlogs", .gauge, help: "Clients for which something waits.")
  static let backlogBytes = MetricDescription(
    "roost_backlog_bytes", .gauge, help: "Bytes that wait for slow clients, replays left out.")
  static let backlogMessages = MetricDescription(
    "roost_backlog_messages", .gauge, help: "Messages of rooms that wait for slow clients, replays left out.")
  static let replayMessages = MetricDescription(
    "roost_backlog_replay_messages", .gauge, help: "Messages of the past that wait for the clients that missed them.")
  static let largestBacklog = MetricDescription(
    "roost_backlog_largest_bytes", .gauge, help: "The most bytes that wait for one client.")
  static let compressed = MetricDescription(
    "roost_messages_compressed_total", .counter, help: "Messages compressed: each once a shard and size of window.")
  static let compressedBytes = MetricDescription(
    "roost_compression_bytes_total", .counter, labels: ["side"], help: "Bytes of those messages, before and after.")
  static let turns = MetricDescription("roost_turns_total", .counter, labels: ["shard"], help: "Turns of the loop.")
}
