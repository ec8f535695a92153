/// What a node's `/metrics` says, at one moment.
struct NodeMetrics {
  /// Milliseconds of the monotonic clock.
  let time: Int64
  private var sums: [Substring: Double] = [:]
  private var relayState = "-"
  /// Counts up to each bound, summed over all labels, of the histograms we look at.
  private var buckets: [Substring: [Double: Double]] = [:]
  private static let histograms: Set<Substring> = ["roost_relay_latency_seconds", "roost_loop_lag_seconds"]

  init(_ text: String, time: Int64) {
    self.time = time
    for line in text.split(separator: "\n") where !line.hasPrefix("#") { add(line) }
  }

  private mutating func add(_ line: Substring) {
    guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { return }
    let series = line[..<space]
    let name = series.prefix { $0 != "{" }
    sums[name, default: 0] += value
    if name == "roost_relay_state", value == 1, let state = Self.label("state", of: series) {
      relayState = String(state)
    }
    guard name.hasSuffix("_bucket") else { return }
    let histogram = name.dropLast("_bucket".count)
    guard Self.histograms.contains(histogram), let bound = Self.label("le", of: series) else { return }
    let limit = bound == "+Inf" ? Double.infinity : Double(bound)
    if let limit { buckets[histogram, default: [:]][limit, default: 0] += value }
  }

  private static func label(_ name: String, of series: Substring) -> Substring? {
    for separator in ["{", ","] {
      if let place = series.firstRange(of: "\(separator)\(name)=\"") {
        return series[place.upperBound...].prefix { $0 != "\"" }
      }
    }
    return nil
  }

  var state: String { relayState }

  /// The sum over all labels; `nil` when there is no such series.
  subscript(name: Substring) -> Double? { sums[name] }

  /// Whether both are of one process: behind a balancer they need not be.
  func isSameProcess(as other: NodeMetrics) -> Bool {
    self["process_start_time_seconds"] == other["process_start_time_seconds"]
  }

  /// How much a counter has grown in a second since `earlier`.
  func rate(_ name: Substring, since earlier: NodeMetrics) -> Double? {
    guard let now = self[name], let before = earlier[name], now >= before, time > earlier.time else { return nil }
    return (now - before) / (Double(time - earlier.time) / 1_000)
  }

  /// What `share` of a histogram's values since `earlier` lie below, in seconds, between bounds by proportion; `nil`
  /// when there were none.
  func quantile(_ share: Double, _ name: Substring, since earlier: NodeMetrics) -> Double? {
    let before = earlier.buckets[name] ?? [:]
    let counts = (buckets[name] ?? [:]).map { (bound: $0.key, count: $0.value - (before[$0.key] ?? 0)) }
      .sorted { $0.bound < $1.bound }
    guard let total = counts.last?.count, total > 0 else { return nil }
    var (low, below) = (0.0, 0.0)
    for (bound, count) in counts {
      if count >= share * total {
        guard bound.isFinite, count > below else { return low }
        return low + (bound - low) * (share * total - below) / (count - below)
      }
      (low, below) = (bound, count)
    }
    return low
  }
}
