import Foundation

/// The files of this repository as the tidy tests see them: no build products, no version control.
enum Repository {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let files: [RepositoryFile] = {
    let skipped: Set = [".build", ".git", "__pycache__", ".venv"]
    let keys: [URLResourceKey] = [.isRegularFileKey]
    guard let walk = FileManager.default.enumerator(at: root, includingPropertiesForKeys: keys) else { return [] }
    var files: [RepositoryFile] = []
    while let url = walk.nextObject() as? URL {
      if skipped.contains(url.lastPathComponent) {
        walk.skipDescendants()
      } else if (try? url.resourceValues(forKeys: Set(keys)).isRegularFile) == true {
        files.append(RepositoryFile(url: url, path: String(url.path.dropFirst(root.path.count + 1))))
      }
    }
    return files.sorted { $0.path < $1.path }
  }()

  static let swift = files.filter { $0.path.hasSuffix(".swift") }
  static let sources = swift.filter { $0.path.hasPrefix("Sources/") }
  static let documents = files.filter { $0.path.hasSuffix(".md") }
}
