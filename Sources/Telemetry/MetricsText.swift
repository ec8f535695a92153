/// Prometheus' text format, version 0.0.4.
///
/// Takes finished numbers: whoever scrapes gathers the shards' copies and sums them first.
public struct MetricsText {
  /// What one sample holds.
  public enum Value: Equatable, Sendable {
    case integer(Int)
    case decimal(Double)
    case histogram(Histogram)
  }

  /// One sample: the values of the metric's labels, in their order, and its number.
  public struct Sample: Equatable, Sendable {
    public let labels: [String]
    public let value: Value

    public init(_ labels: [String] = [], _ value: Value) { (self.labels, self.value) = (labels, value) }
  }

  /// The text so far.
  public private(set) var bytes: [UInt8] = []
  private var written: Set<String> = []

  public init() {}

  public mutating func write(_ metric: MetricDescription, _ value: Int) {
    write(metric, [Sample([], .integer(value))])
  }

  public mutating func write(_ metric: MetricDescription, _ value: Double) {
    write(metric, [Sample([], .decimal(value))])
  }

  public mutating func write(_ metric: MetricDescription, _ histogram: Histogram) {
    write(metric, [Sample([], .histogram(histogram))])
  }

  /// Appends the metric with all its samples: the format wants them in one place, so each metric is written once.
  public mutating func write(_ metric: MetricDescription, _ samples: [Sample]) {
    precondition(written.insert(metric.name).inserted, "a metric is written once")
    append("# HELP \(metric.name) \(Self.escaped(metric.help, quotes: false))\n")
    append("# TYPE \(metric.name) \(metric.kind.rawValue)\n")
    for sample in samples {
      precondition(sample.labels.count == metric.labels.count, "a sample has the metric's labels")
      let labels = zip(metric.labels, sample.labels).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
      switch sample.value {
      case .integer(let number): line(metric, "", labels, "\(number)")
      case .decimal(let number): line(metric, "", labels, Self.text(number))
      case .histogram(let histogram): write(metric, histogram, labels)
      }
    }
  }

  private mutating func write(_ metric: MetricDescription, _ histogram: Histogram, _ labels: [String]) {
    precondition(metric.kind == .histogram, "only histograms have buckets")
    var below: UInt64 = 0
    for (bound, count) in zip(histogram.bounds + [.infinity], histogram.counts) {
      below &+= count
      line(metric, "_bucket", labels + ["le=\"\(Self.text(bound))\""], "\(below)")
    }
    line(metric, "_sum", labels, Self.text(histogram.sum))
    line(metric, "_count", labels, "\(below)")
  }

  private mutating func line(_ metric: MetricDescription, _ suffix: String, _ labels: [String], _ number: String) {
    let set = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
    append("\(metric.name)\(suffix)\(set) \(number)\n")
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private static func text(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
    return "\(number)"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
