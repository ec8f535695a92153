import Foundation
import Testing

/// One file, named by its path from the root of the repository.
struct RepositoryFile: Sendable, CustomTestStringConvertible {
  let url: URL
  let path: String

  var testDescription: String { path }
  var name: String { url.lastPathComponent }

  /// `Sources/<target>/…` or `Tests/<target>/…`.
  var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

  func text() throws -> String { try String(contentsOf: url, encoding: .utf8) }

  func lines() throws -> [Substring] { try text().split(separator: "\n", omittingEmptySubsequences: false) }

  /// Whether the words are somewhere in the file; much faster than a search line by line.
  func holds(_ words: String) throws -> Bool { try Data(contentsOf: url).range(of: Data(words.utf8)) != nil }

  var isExecutable: Bool { FileManager.default.isExecutableFile(atPath: url.path) }

  /// Whether the file says in its first two bytes which program runs it.
  func isScript() throws -> Bool { try Data(contentsOf: url).starts(with: Data("#!".utf8)) }
}
