import Foundation
import Testing

/// What documents for operators tell people to type is there: files, targets of make, paths of requests, signals,
/// commands. Metrics and settings are looked at by ``GuideTests``.
@Suite("Tidy: guides for operators") struct OperatorGuideTests {
  static let guides = [
    "ALERTS", "API", "OPERATIONS", "REDIS", "RELIABILITY", "SCALING", "TLS", "TOKENS", "TROUBLESHOOTING",
  ].map { "docs/\($0).md" }

  private static func text(_ path: String) throws -> String {
    try #require(Repository.files.first { $0.path == path }, "\(path)").text()
  }

  /// What is quoted as code, in blocks and in lines.
  private static func code(_ path: String) throws -> [String] {
    let text = try text(path)
    let blocks = text.matches(of: /```[a-z]*\n([\s\S]*?)```/).map { String($0.1) }
    return blocks + text.replacing(/```[\s\S]*?```/, with: "").matches(of: /`([^`\n]+)`/).map { String($0.1) }
  }

  @Test(arguments: guides)
  func `files and folders are there`(guide: String) throws {
    for code in try Self.code(guide) {
      for match in code.matches(of: /(?:^|[\s(])((?:deploy|scripts|Tests|Sources|clients)\/[\w.\/@-]+)/) {
        let path = Repository.root.appending(path: String(match.1)).path
        #expect(FileManager.default.fileExists(atPath: path), "\(guide) names \(match.1)")
      }
    }
  }

  @Test(arguments: guides)
  func `targets of make and commands of roost are there`(guide: String) throws {
    let (make, tool) = (try Self.text("Makefile"), try Self.text("Sources/roost/CommandLineTool.swift"))
    for code in try Self.code(guide) {
      for match in code.matches(of: /(?m)^make ([a-z-]+)/) {
        #expect(make.contains("\n\(match.1):"), "\(guide) names make \(match.1)")
      }
      for match in code.matches(of: /(?m)^roost ([a-z]+)/) {
        #expect(tool.contains("\"\(match.1)\""), "\(guide) names roost \(match.1)")
      }
    }
  }

  @Test(arguments: guides)
  func `paths of requests are served`(guide: String) throws {
    let sources = try Repository.sources.filter { $0.path.hasPrefix("Sources/RoostServer/") }.map { try $0.text() }
    let served = sources.flatMap { $0.matches(of: /"(\/[a-z][\w\/{}.-]*)"/).map { Self.segments($0.1) } }
    #expect(served.count > 20)
    for code in try Self.code(guide) {
      let named = /(?:^|[\s:"'0-9A-Z…])(\/(?:api|ws|healthz|readyz|metrics|dashboard|client\.js)\b[\w\/{}.-]*)/
      for match in code.matches(of: named) where !["/api", "/api/"].contains(match.1) {
        let path = Self.segments(match.1)
        let isServed = served.contains { known in
          known.count == path.count && zip(known, path).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
        #expect(isServed, "\(guide) names \(match.1)")
      }
    }
  }

  private static func segments(_ path: Substring) -> [String] { path.split(separator: "/").map(String.init) }

  @Test(arguments: guides)
  func `a node takes the signals that are named`(guide: String) throws {
    let command = try Self.text("Sources/roost/ServeCommand.swift")
    // What the kernel or an operator does to other programs.
    let others: Set = ["SIGSTOP", "SIGCONT", "SIGKILL"]
    for match in try Self.text(guide).matches(of: /\b(SIG[A-Z]+[0-9]?)\b/) where !others.contains(String(match.1)) {
      #expect(command.contains(match.1), "\(guide) names \(match.1)")
    }
  }
}
