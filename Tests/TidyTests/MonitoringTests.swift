import Foundation
import Testing

/// Rules, dashboard and documents speak of the same metrics and alerts. What a node exposes is held to
/// `docs/METRICS.md` by the server's tests.
@Suite("Tidy: monitoring") struct MonitoringTests {
  private static func text(_ path: String) throws -> String {
    try String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)
  }

  private static func words(_ path: String, _ pattern: Regex<(Substring, Substring)>) throws -> Set<String> {
    Set(try text(path).matches(of: pattern).map { String($0.1) })
  }

  private static func metrics() throws -> Set<String> {
    try words("docs/METRICS.md", /(?m)^\| `([a-z_]+)` \|/)
  }

  @Test(arguments: [
    "deploy/prometheus/rules/roost.yml", "deploy/prometheus/rules/roost.test.yml",
    "deploy/grafana/dashboards/roost.json",
    "docs/ALERTS.md",
  ])
  func `names only metrics that are documented`(path: String) throws {
    let known = try Self.metrics()
    let named = try Self.words(path, /((?:roost|process)_[a-z_]+)/)
    #expect(named.count > 5 && known.count > 60)
    for name in named {
      let plain = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) }
      #expect(known.contains(name) || plain.map(known.contains) == true, "\(path) names \(name)")
    }
  }

  @Test func `each alert is explained and has a test`() throws {
    let alerts = try Self.words("deploy/prometheus/rules/roost.yml", /alert: (\w+)/)
    #expect(alerts.count > 20)
    let explained = try Self.words("docs/ALERTS.md", /(?m)^### (\w+)$/)
    #expect(alerts == explained)
    let tests = try Self.text("deploy/prometheus/rules/roost.test.yml")
    for alert in alerts {
      #expect(tests.contains("alertname: \(alert), exp_alerts: []"), "\(alert) is not shown to be silent")
      #expect(tests.contains("alertname: \(alert)\n        exp_alerts:\n          - "), "\(alert) is not shown to fire")
    }
  }

  @Test func `severities are those of the document`() throws {
    let rules = try Self.text("deploy/prometheus/rules/roost.yml")
    let document = try Self.text("docs/ALERTS.md")
    for match in rules.matches(of: /alert: (\w+)[\s\S]*?severity: (\w+)/) {
      let mark = match.2 == "critical" ? "**critical.**" : "*warning.*"
      #expect(document.contains("### \(match.1)\n\n\(mark) "), "\(match.1) is \(match.2)")
    }
  }

  @Test func `the dashboard is sound`() throws {
    let json = try JSONSerialization.jsonObject(with: Data(try Self.text("deploy/grafana/dashboards/roost.json").utf8))
    let panels = try #require((json as? [String: Any])?["panels"] as? [[String: Any]])
    let ids = panels.compactMap { $0["id"] as? Int }
    #expect(Set(ids).count == panels.count)
    for panel in panels where panel["type"] as? String != "row" {
      let title = try #require(panel["title"] as? String)
      let targets = try #require(panel["targets"] as? [[String: Any]])
      for target in targets {
        let expression = try #require(target["expr"] as? String)
        #expect(
          expression.contains(#"job="$job", instance=~"$instance""#), "\(title) does not ask for the chosen nodes")
      }
    }
  }

  /// The events that the sources log, as `docs/LOGS.md` lists them.
  @Test func `each logged event is documented`() throws {
    var events: Set<String> = []
    for file in Repository.sources where !file.path.hasPrefix("Sources/Telemetry/") {
      // Also `note` and calls that are broken into lines.
      for match in try file.text().matches(of: /[ .](?:debug|info|warning|error)\(\s*"([^"\\]+)"[,)]/) {
        events.insert(String(match.1))
      }
    }
    #expect(events.count > 20)
    let documented = try Self.words("docs/LOGS.md", /(?m)^\| `([^`]+)` \|/)
    for event in events.subtracting(documented) { Issue.record("docs/LOGS.md does not have \"\(event)\"") }
    for event in documented.subtracting(events) { Issue.record("nothing logs \"\(event)\"") }
  }
}
