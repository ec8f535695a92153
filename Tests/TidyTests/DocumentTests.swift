import Foundation
import Testing

/// Documents point at things that are there; scripts can be run.
@Suite("Tidy: documents and scripts") struct DocumentTests {
  @Test(arguments: Repository.documents)
  func `links lead somewhere`(file: RepositoryFile) throws {
    let folder = file.url.deletingLastPathComponent()
    for match in try Self.prose(file).matches(of: /\]\(([^)\s]+)\)/) {
      let link = String(match.1)
      if link.contains("://") || link.hasPrefix("mailto:") { continue }
      let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let goal = parts[0].isEmpty ? file.url : folder.appending(path: parts[0]).standardizedFileURL
      #expect(FileManager.default.fileExists(atPath: goal.path), "\(file.path) links to \(link)")
      if parts.count == 2, goal.pathExtension == "md", FileManager.default.fileExists(atPath: goal.path) {
        #expect(try Self.anchors(goal).contains(parts[1]), "\(file.path) links to \(link), no such heading")
      }
    }
  }

  @Test(arguments: Repository.files)
  func `what has a shebang can be run`(file: RepositoryFile) throws {
    #expect(try file.isScript() == file.isExecutable, "\(file.path): the shebang and the mode disagree")
  }

  /// The text without what is quoted as code.
  static func prose(_ file: RepositoryFile) throws -> String {
    try file.text().replacing(/```[\s\S]*?```/, with: "").replacing(/`[^`\n]*`/, with: "")
  }

  /// Headings as the forges name them: lower case, spaces as dashes, other signs gone.
  static func anchors(_ document: URL) throws -> Set<String> {
    let lines = try String(contentsOf: document, encoding: .utf8).split(separator: "\n")
    return Set(
      lines.compactMap { line in
        guard let title = line.firstMatch(of: /^#{1,6} +(.*)$/)?.1 else { return nil }
        let kept = title.lowercased().filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
        return kept.replacing(" ", with: "-")
      })
  }
}
