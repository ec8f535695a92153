import Foundation
import Testing

/// What documents for newcomers and operators name is there: tests, metrics, settings, log lines.
@Suite("Tidy: guides") struct GuideTests {
  static let guides =
    ["README.md"] + ["MIGRATING", "PROTOCOL", "TUTORIAL"].map { "docs/\($0).md" } + OperatorGuideTests.guides

  private static func text(_ path: String) throws -> String {
    try #require(Repository.documents.first { $0.path == path }, "\(path)").text()
  }

  /// `SomeTests/words`: a file of tests, and the beginning of a test's name in it.
  @Test func `tests that show what stays fixed are there`() throws {
    var count = 0
    for match in try Self.text("docs/MIGRATING.md").matches(of: /`(\w+Tests)\/([^`]+)`/) {
      count += 1
      let files = Repository.swift.filter { $0.name == "\(match.1).swift" && $0.path.hasPrefix("Tests/") }
      let isThere = try files.contains { try $0.text().contains("func `\(match.2)") }
      #expect(isThere, "\(match.0)")
    }
    #expect(count >= 15)
  }

  @Test(arguments: guides)
  func `metrics are there`(guide: String) throws {
    let sources = try Repository.sources.map { try $0.text() }
    for match in try Self.text(guide).matches(of: /`(roost_\w+)/) {
      #expect(sources.contains { $0.contains("\"\(match.1)\"") }, "\(guide) names \(match.1)")
    }
  }

  @Test(arguments: guides)
  func `settings are there`(guide: String) throws {
    let configuration = try Self.text("docs/CONFIGURATION.md")
    // Settings stand as code of their own; other programs' flags in whole commands.
    for match in try Self.text(guide).matches(of: /`(--[a-z-]+)[^`\n]*`/) {
      let others: Set = ["--check", "--help", "--profile", "--scale", "--deploy-hook", "--harm-last", "--ca-file"]
      guard !others.contains(String(match.1)) else { continue }
      #expect(configuration.contains("`\(match.1)`"), "\(guide) names \(match.1)")
    }
  }

  @Test(arguments: [
    "handshake refused", "TLS handshake failed", "connection closed", "client too slow",
    "bad frame on the relay channel", "key set not fetched", "fenced", "reaped", "relay degraded", "redis",
    "the node cannot start", "node ready", "insecure setting",
  ])
  func `log lines are written as they are named`(event: String) throws {
    #expect(try Self.text("docs/LOGS.md").contains("| `\(event)` |"))
    let guides = try ["docs/TROUBLESHOOTING.md", "docs/CONFIGURATION.md"].map { try Self.text($0) }
    // A line of prose may break within an event's words.
    #expect(guides.contains { $0.replacing("\n", with: " ").contains("`\(event)") }, "\(event)")
  }
}
