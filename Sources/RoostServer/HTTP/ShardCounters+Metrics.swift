import Telemetry

extension ShardCounters {
  func write(to text: inout MetricsText) {
    text.write(Metric.received, ReceivedKind.allCases.map { .init($0.labels, .integer(self[$0])) })
    text.write(Metric.sent, SentKind.allCases.map { .init($0.labels, .integer(self[$0])) })
    text.write(Metric.deliveries, deliveries)
    text.write(Metric.sends, sends)
    text.write(Metric.bytesReceived, bytesReceived)
    text.write(Metric.bytesSent, bytesSent)
    text.write(Metric.mistakes, mistakes)
    text.write(Metric.typingDropped, ignored)
    text.write(Metric.pausedReads, pauses)
    text.write(Metric.compressed, compressed)
    text.write(
      Metric.compressedBytes,
      [.init(["before"], .integer(compressedFrom)), .init(["after"], .integer(compressedTo))])
  }
}

private enum Metric {
  static let received = MetricDescription(
    "roost_messages_received_total", .counter, labels: ["type"], help: "Messages from clients.")
  static let sent = MetricDescription(
    "roost_messages_sent_total", .counter, labels: ["type"],
    help: "Messages to clients, handed to the kernel or to a queue.")
  static let deliveries = MetricDescription(
    "roost_deliveries_total", .counter, help: "What happened in rooms, once for each member it was handed to.")
  static let sends = MetricDescription("roost_sends_total", .counter, help: "Send calls: below messages sent is good.")
  static let bytesReceived = MetricDescription(
    "roost_received_bytes_total", .counter, help: "Bytes from clients, without those of TLS.")
  static let bytesSent = MetricDescription(
    "roost_sent_bytes_total", .counter, help: "Bytes to clients that the kernel took, without those of TLS.")
  static let mistakes = MetricDescription("roost_mistakes_total", .counter, help: "Refused messages and requests.")
  static let typingDropped = MetricDescription(
    "roost_typing_dropped_total", .counter, help: "Typing that came too often.")
  static let pausedReads = MetricDescription(
    "roost_paused_reads_total", .counter, help: "Pauses in reading clients that sent too many bytes.")
  static let compressed = MetricDescription(
    "roost_messages_compressed_total", .counter, help: "Messages compressed: each once a shard and size of window.")
  static let compressedBytes = MetricDescription(
    "roost_compression_bytes_total", .counter, labels: ["side"], help: "Bytes of those messages, before and after.")
}
