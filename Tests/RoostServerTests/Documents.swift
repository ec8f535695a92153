import Foundation

/// The documents that tests hold to the code.
enum Documents {
  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs")

  static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  /// Writes `text` into a document that is made from the code, when the environment has `variable`.
  static func rewrite(_ name: String, as text: String, when variable: String) throws {
    guard ProcessInfo.processInfo.environment[variable] != nil else { return }
    try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
  }
}
