import RealtimeCore
import RedisRelay
import Telemetry

extension RelayCounters {
  func write(to text: inout MetricsText) {
    text.write(Metric.roundTrip, Histogram(roundTrips))
    text.write(
      Metric.failures,
      [.init(["command"], .integer(commandFailures)), .init(["subscriber"], .integer(subscriberFailures))])
    text.write(Metric.droppedFrames, droppedFrames)
  }
}

extension Histogram {
  /// Durations, in seconds.
  init(_ durations: DurationCounts) {
    self.init(
      bounds: DurationCounts.bounds.map { Double($0) / 1e9 },
      counts: durations.counts.indices.map { UInt64(durations.counts[$0]) }, sum: Double(durations.sum) / 1e9)
  }
}

private enum Metric {
  static let roundTrip = MetricDescription(
    "roost_redis_round_trip_seconds", .histogram, help: "From giving Redis a command to reading its answer.")
  static let failures = MetricDescription(
    "roost_redis_failures_total", .counter, labels: ["line"],
    help: "Connections to Redis that were given up, or could not be made.")
  static let droppedFrames = MetricDescription(
    "roost_redis_frames_dropped_total", .counter,
    help: "Frames from Redis left out because too many came at once; rooms ask for what they missed.")
}
