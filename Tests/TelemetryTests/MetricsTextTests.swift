import Testing

@testable import Telemetry

@Suite struct MetricsTextTests {
  static func text(_ write: (inout MetricsText) -> Void) -> String {
    var text = MetricsText()
    write(&text)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  @Test func `counters, gauges and labels`() {
    let text = Self.text {
      $0.write(MetricDescription("roost_messages_total", .counter, help: "Messages, a \\ and\na line."), 12)
      $0.write(MetricDescription("roost_lag_seconds", .gauge, help: "Lag."), 0.25)
      $0.write(
        MetricDescription("roost_refused_total", .counter, labels: ["reason", "shard"], help: "Refused."),
        [.init(["a \"b\"\\\n", "0"], .integer(1)), .init(["ü", "1"], .integer(-2))])
    }
    #expect(
      text == #"""
        # HELP roost_messages_total Messages, a \\ and\na line.
        # TYPE roost_messages_total counter
        roost_messages_total 12
        # HELP roost_lag_seconds Lag.
        # TYPE roost_lag_seconds gauge
        roost_lag_seconds 0.25
        # HELP roost_refused_total Refused.
        # TYPE roost_refused_total counter
        roost_refused_total{reason="a \"b\"\\\n",shard="0"} 1
        roost_refused_total{reason="ü",shard="1"} -2

        """#)
  }

  @Test func `histograms are cumulative`() {
    var histogram = Histogram(bounds: [0.1, 1])
    for value in [0.05, 0.1, 0.5, 1, 7] { histogram.observe(value) }
    let metric = MetricDescription("roost_ack_seconds", .histogram, labels: ["path"], help: "Time to ack.")
    #expect(
      Self.text { $0.write(metric, [.init(["x"], .histogram(histogram))]) } == """
        # HELP roost_ack_seconds Time to ack.
        # TYPE roost_ack_seconds histogram
        roost_ack_seconds_bucket{path="x",le="0.1"} 2
        roost_ack_seconds_bucket{path="x",le="1.0"} 4
        roost_ack_seconds_bucket{path="x",le="+Inf"} 5
        roost_ack_seconds_sum{path="x"} 8.65
        roost_ack_seconds_count{path="x"} 5

        """)
  }

  @Test(arguments: [(Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (1e-7, "1e-07"), (1e21, "1e+21")])
  func `numbers`(number: Double, text: String) {
    #expect(Self.text { $0.write(MetricDescription("x", .gauge, help: ""), number) }.hasSuffix("\nx \(text)\n"))
  }

  @Test func `our own mistakes stop the process`() async {
    await #expect(processExitsWith: .failure) { _ = MetricDescription("roost_messages", .counter, help: "") }
    await #expect(processExitsWith: .failure) { _ = MetricDescription("1x", .gauge, help: "") }
    await #expect(processExitsWith: .failure) { _ = MetricDescription("x", .gauge, labels: ["le"], help: "") }
    await #expect(processExitsWith: .failure) {
      var text = MetricsText()
      for _ in 0..<2 { text.write(MetricDescription("x", .gauge, help: ""), 1) }
    }
  }
}

@Suite struct HistogramTests {
  @Test func `a share of the values lies under a bound`() {
    var histogram = Histogram(bounds: [1, 2, 4])
    #expect(histogram.bound(ofShare: 0.99) == 0)
    for value in [0.5, 1, 1.5, 3] { histogram.observe(value) }
    #expect([0.25, 0.5, 0.51, 0.75, 0.76, 1].map { histogram.bound(ofShare: $0) } == [1, 1, 2, 2, 4, 4])
    for _ in 0..<96 { histogram.observe(9) }
    #expect(histogram.bound(ofShare: 0.99) == 4, "above the last bound nothing is known")
  }

  @Test func `shards add up`() {
    var (one, other, both) = (Histogram(), Histogram(), Histogram())
    for step in 0..<200 {
      let value = Double(step * step) / 2048  // exact, so that sums do not depend on order
      if step % 3 == 0 { one.observe(value) } else { other.observe(value) }
      both.observe(value)
    }
    one.merge(other)
    #expect(one == both && one.count == 200)
  }
}

@Suite struct SharedHistogramTests {
  @Test func `counts as the plain one does`() {
    let shared = SharedHistogram.durations
    var plain = Histogram()
    for step in 0..<300 {
      let nanoseconds = step * step * 131_072
      shared.observe(nanoseconds)
      plain.observe(Double(nanoseconds) / 1e9)
    }
    let snapshot = shared.snapshot
    #expect(snapshot.bounds == plain.bounds && snapshot.counts == plain.counts && snapshot.count == 300)
    #expect(abs(snapshot.sum - plain.sum) < 1e-6)
  }

  @Test func `bounds are inclusive`() {
    let shared = SharedHistogram(bounds: [1, 4])
    for value in [0, 1, 2, 4, 5] { shared.observe(value) }
    #expect(shared.snapshot == Histogram(bounds: [1, 4], counts: [2, 2, 1], sum: 12))
  }
}

@Suite struct MemoryLimitTests {
  static let machine = "MemTotal:       2000 kB\nMemFree:        100 kB\n"

  @Test(
    arguments: [
      (["/proc/meminfo": machine], 2_048_000),
      (["/proc/meminfo": machine, "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n"], 2_048_000),
      (["/proc/meminfo": machine, "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1000\n"], 1_000),
      (
        [
          "/proc/meminfo": machine, "/proc/self/cgroup": "1:name=systemd:/\n0::/a/b\n",
          "/sys/fs/cgroup/a/b/memory.max": "900\n", "/sys/fs/cgroup/a/memory.max": "700\n",
        ], 700
      ),
      ([:], nil),
    ] as [([String: String], Int?)])
  func `the least of what binds holds`(files: [String: String], limit: Int?) {
    #expect(MemoryLimit.read { files[$0] } == limit)
  }
}

@Suite struct ProcessMetricsTests {
  @Test func `this process is alive`() throws {
    let metrics = try #require(ProcessMetrics.read())
    let now = Double(WallClock.now().unixMilliseconds) / 1000
    #expect(metrics.residentBytes > 1 << 20 && metrics.virtualBytes > metrics.residentBytes)
    #expect(metrics.openDescriptors > 2 && metrics.openDescriptors < metrics.descriptorLimit)
    #expect(try #require(metrics.memoryLimitBytes) > metrics.residentBytes)
    #expect(metrics.cpuSeconds > 0 && metrics.startTime < now + 2 && metrics.startTime > now - 3600)
    var text = MetricsText()
    metrics.write(to: &text)
    let written = String(decoding: text.bytes, as: UTF8.self)
    for metric in ProcessMetrics.descriptions { #expect(written.contains("\n\(metric.name) ")) }
  }
}
