import Foundation
import FuzzTargets
import Testing

/// Every input that is kept for the fuzzers, run once: what was found stays fixed, without a fuzzer.
@Suite("Fuzz corpus") struct CorpusTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fuzz/Corpus")

  static let inputs: [(target: FuzzTarget, file: URL)] = FuzzTarget.all.flatMap { target in
    files(in: folder.appending(path: target.name)).map { (target, $0) }
  }

  static func files(in folder: URL) -> [URL] {
    let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    return (files ?? []).sorted { $0.path < $1.path }
  }

  @Test(arguments: 0..<inputs.count)
  func `holds`(index: Int) throws {
    let (target, file) = Self.inputs[index]
    let bytes = [UInt8](try Data(contentsOf: file))
    do { try target.run(bytes) } catch {
      Issue.record("\(target.name), \(file.lastPathComponent): \(error)")
    }
  }

  @Test(arguments: FuzzTarget.all)
  func `has inputs that its fuzzer would take`(target: FuzzTarget) throws {
    let files = Self.files(in: Self.folder.appending(path: target.name))
    #expect(files.count >= 8)
    for file in files {
      #expect(try Data(contentsOf: file).count <= target.lengthLimit, "\(file.lastPathComponent) is too long")
    }
  }

  @Test func `every folder belongs to a target`() {
    let names = Set(FuzzTarget.all.map(\.name))
    for folder in Self.files(in: Self.folder) { #expect(names.contains(folder.lastPathComponent)) }
  }
}
