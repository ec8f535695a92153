/// What a run measured.
public struct BenchReport: Sendable {
  public var scenario = BenchPlan.Scenario.fanout
  /// Connections that were open at the measurement, and those that should have been.
  public var connections = 0
  public var planned = 0
  /// Length of the measurement.
  public var seconds = 0.0
  /// Messages that arrived (`connect`: handshakes done) within it, and those sent.
  public var deliveries = 0
  public var sent = 0
  public var acks = 0
  public var errors = 0
  /// The first thing that went wrong, in words.
  public var firstError = ""
  public var latency = LatencyHistogram()

  /// Of the whole run, counted when everything had time to arrive.
  public var lost = 0
  public var duplicates = 0
  public var orderViolations = 0

  /// What the server processes used in the measurement, and this one.
  public var server = ProcessUsage()
  public var generatorSeconds = 0.0
  /// `idle`: what the server's memory grew by with all connections.
  public var memory = ProcessUsage()

  public init() {}

  public var perSecond: Double { seconds > 0 ? Double(deliveries) / seconds : 0 }
  /// Microseconds of the server's CPU time for one delivery.
  public var cpuPerDelivery: Double { deliveries > 0 ? server.cpuSeconds * 1e6 / Double(deliveries) : 0 }
  public var deliveriesPerCPUSecond: Double {
    server.cpuSeconds > 0 ? Double(deliveries) / server.cpuSeconds : 0
  }
  public var residentBytesPerConnection: Double { perConnection(memory.residentKiB) }
  public var privateBytesPerConnection: Double { perConnection(memory.privateKiB) }
  /// Nothing was lost, doubled or out of order, and nobody was missing.
  public var isClean: Bool {
    lost == 0 && duplicates == 0 && orderViolations == 0 && errors == 0 && connections == planned
  }

  private func perConnection(_ kibibytes: Int) -> Double {
    connections > 0 ? Double(kibibytes) * 1_024 / Double(connections) : 0
  }
}
