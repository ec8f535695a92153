import EventLoops
import RealtimeCore
import Synchronization
import Telemetry
import Transport

extension NodeContext {
  /// Prometheus' text of this node. `log`: whose events are counted.
  func metrics(_ log: Log) -> [UInt8] {
    let shards = counters.map(\.snapshot)
    let total = shards.reduce(ShardCounters(), +)
    let hub = hubReport.latest
    var text = MetricsText()
    text.write(Metric.build, [.init([Release.version, hub.instance], .integer(1))])
    text.write(Metric.draining, isDraining.load(ordering: .relaxed) ? 1 : 0)
    writeDoor(total, to: &text)
    total.write(to: &text)
    text.write(
      Metric.errors,
      ClientMistake.Code.allCases.map { .init($0.labels, .integer(errors[$0] + hub.counters.errors[$0, default: 0])) })
    writeQueues(total, to: &text)
    writeLoops(shards, to: &text)
    hub.write(to: &text)
    hubReport.relay.write(to: &text)
    text.write(Metric.logged, LogLevel.allCases.map { .init([$0.description], .integer(log.count(of: $0))) })
    ProcessMetrics.read()?.write(to: &text)
    return text.bytes
  }

  /// Who comes in and who does not, and how they end.
  private func writeDoor(_ total: ShardCounters, to text: inout MetricsText) {
    text.write(Metric.sockets, connectionCount.load(ordering: .relaxed))
    text.write(Metric.socketLimit, connectionLimit)
    text.write(Metric.connections, total.open)
    text.write(Metric.accepted, total.accepted)
    text.write(Metric.opened, total.opened)
    text.write(Metric.tokenChecks, tokenChecks.load(ordering: .relaxed))
    text.write(Metric.unfinished, unfinishedCount.load(ordering: .relaxed))
    text.write(Metric.refused, refusals.samples)
    text.write(Metric.callsRefused, callRefusals.samples)
    text.write(Metric.closes, closes.samples)
    text.write(Metric.peerCloses, peerCloses.samples)
    text.write(Metric.refusedTokens, keys.refusals.samples)
    text.write(Metric.keyFetches, keys.outcomes.samples)
    if let end = tls?.expiresAt { text.write(Metric.certificateEnd, Double(end)) }
  }

  /// What waits for clients that do not read fast enough.
  private func writeQueues(_ total: ShardCounters, to text: inout MetricsText) {
    text.write(
      Metric.slow, [.init(["disconnect"], .integer(closes[.tooSlow])), .init(["drop"], .integer(total.muted))])
    text.write(Metric.droppedMessages, total.dropped)
    let depths = queueDepths.map(\.snapshot)
    text.write(Metric.queueDepth, depths.dropFirst().reduce(into: depths[0]) { $0.merge($1) })
    let waiting = backlogs.map(\.latest).reduce(BacklogReport(), +)
    text.write(Metric.backlogs, waiting.clients)
    text.write(Metric.backlogBytes, waiting.bytes)
    text.write(Metric.backlogMessages, waiting.messages)
    text.write(Metric.replayMessages, waiting.replayMessages)
    text.write(Metric.largestBacklog, waiting.largestBytes)
  }

  private func writeLoops(_ shards: [ShardCounters], to text: inout MetricsText) {
    let now = monotonicNanoseconds()
    text.write(Metric.turns, shards.enumerated().map { .init([String($0.offset)], .integer($0.element.turns)) })
    text.write(Metric.loopLag, loops.map { .init([$0.name], .histogram($0.histogram)) })
    text.write(Metric.loopTurn, loops.map { .init([$0.name], .decimal($0.seconds(now: now))) })
  }
}

private enum Metric {
  static let build = MetricDescription(
    "roost_build_info", .gauge, labels: ["version", "node"], help: "Always 1: what runs here.")
  static let draining = MetricDescription(
    "roost_draining", .gauge, help: "1 while the node sends its clients elsewhere, or stops.")
  static let sockets = MetricDescription(
    "roost_sockets", .gauge, help: "Open sockets of clients, WebSockets or not.")
  static let socketLimit = MetricDescription(
    "roost_sockets_limit", .gauge, help: "Sockets above which clients are told that the node is full.")
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
  static let peerCloses = MetricDescription(
    "roost_peer_closes_total", .counter, labels: ["reason"], help: "WebSockets that the client ended, or that broke.")
  static let refusedTokens = MetricDescription(
    "roost_tokens_refused_total", .counter, labels: ["reason"], help: "Tokens refused; clients get one answer for all.")
  static let keyFetches = MetricDescription(
    "roost_key_set_fetches_total", .counter, labels: ["outcome"], help: "Fetches of the set at jwks-url.")
  static let certificateEnd = MetricDescription(
    "roost_certificate_end_timestamp_seconds", .gauge,
    help: "When the certificate that new connections get ends, in seconds since 1970.")
  static let errors = MetricDescription(
    "roost_errors_total", .counter, labels: ["code"], help: "Errors that clients were told.")
  static let slow = MetricDescription(
    "roost_slow_consumers_total", .counter, labels: ["action"],
    help: "Full queues: clients disconnected, or rooms whose messages a client does not get until it is told.")
  static let droppedMessages = MetricDescription(
    "roost_messages_dropped_total", .counter, help: "Messages of rooms that slow clients did not get, and were told.")
  static let queueDepth = MetricDescription(
    "roost_queue_depth_messages", .histogram,
    help: "Messages of rooms that wait for a client, each time that some more had to.")
  static let backlogs = MetricDescription("roost_backlogs", .gauge, help: "Clients for which something waits.")
  static let backlogBytes = MetricDescription(
    "roost_backlog_bytes", .gauge, help: "Bytes that wait for slow clients, replays left out.")
  static let backlogMessages = MetricDescription(
    "roost_backlog_messages", .gauge, help: "Messages of rooms that wait for slow clients, replays left out.")
  static let replayMessages = MetricDescription(
    "roost_backlog_replay_messages", .gauge, help: "Messages of the past that wait for the clients that missed them.")
  static let largestBacklog = MetricDescription(
    "roost_backlog_largest_bytes", .gauge, help: "The most bytes that wait for one client.")
  static let turns = MetricDescription("roost_turns_total", .counter, labels: ["shard"], help: "Turns of the loop.")
  static let loopLag = MetricDescription(
    "roost_loop_lag_seconds", .histogram, labels: ["loop"],
    help: "How long turns of the loop took: so long others had to wait for theirs.")
  static let loopTurn = MetricDescription(
    "roost_loop_turn_seconds", .gauge, labels: ["loop"],
    help: "How long the turn that is on has lasted; 0: the loop has nothing to do.")
  static let logged = MetricDescription(
    "roost_log_events_total", .counter, labels: ["level"],
    help: "Events of the log's level and above, written or held back.")
}
