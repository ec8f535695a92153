/// What a rolling restart and a scale-out came to.
public struct RollingReport: Sendable {
  public let plan: RollingPlan
  public internal(set) var counts = Counts()
  /// How often anybody was told that somebody came or went, although all meant to stay.
  public internal(set) var flickers = 0
  public internal(set) var drains: [NodeDrain] = []
  /// From a connection's end until its client was back in all its rooms, in milliseconds: at the restarts, and all.
  public internal(set) var restartAbsences: [Int64] = []
  public internal(set) var absences: [Int64] = []
  /// Connections of each node right after one was added, and when they were even again.
  public internal(set) var spreadBefore: [Int] = []
  public internal(set) var spreadAfter: [Int] = []
  /// How long that took, in seconds, and how many connections were sent away for it.
  public internal(set) var growth = 0.0
  public internal(set) var moved = 0
  public internal(set) var endings: [String: Int] = [:]
  public internal(set) var problems: [String] = []
  public internal(set) var evidence: [String] = []

  init(_ plan: RollingPlan) { self.plan = plan }

  public var isGood: Bool { faults.isEmpty }

  /// Everything that must not be, in words.
  private var faults: [String] {
    let promises = Counts.columns.filter { $0.isPromise && counts[keyPath: $0.path] > 0 }
    let presence = flickers == 0 ? [] : ["joins and leaves told although all stayed: \(flickers)"]
    return problems + presence + promises.map { "\($0.title): \(counts[keyPath: $0.path])" }
  }

  public var text: String {
    let away = Self.percentiles(restartAbsences)
    let promises = Counts.columns.filter(\.isPromise).map { "\($0.title) \(counts[keyPath: $0.path])" }
    let seconds = drains.map { "\(($0.seconds * 10).rounded() / 10)" }.joined(separator: ", ")
    return """
      \(plan.nodes) nodes, \(plan.clients) clients, \(Int(plan.messagesPerSecond)) messages a second, seed \(plan.seed)
        restarts    \(drains.count), each drained in \(seconds) s
        messages    \(counts.acked) acknowledged, \(counts.delivered) delivered
        promises    \(promises.joined(separator: ", "))
        presence    joins and leaves told although all stayed: \(flickers)
        reconnects  \(restartAbsences.count) at restarts, back in all rooms after \(away)
        scale-out   \(spreadBefore) became \(spreadAfter) in \((growth * 10).rounded() / 10) s, \(moved) moved
        endings     \(endings.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))
      \(isGood ? "good" : "NOT GOOD: " + faults.joined(separator: "; "))
      """
  }

  /// Nearest rank.
  private static func percentiles(_ values: [Int64]) -> String {
    guard !values.isEmpty else { return "-" }
    let sorted = values.sorted()
    func rank(_ part: Double) -> Int64 {
      sorted[min(sorted.count - 1, Int((Double(sorted.count) * part).rounded(.up)) - 1)]
    }
    return "p50 \(rank(0.5)) ms, p99 \(rank(0.99)) ms, at most \(sorted[sorted.count - 1]) ms"
  }
}
