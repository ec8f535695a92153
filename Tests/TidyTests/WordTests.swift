import Testing

/// Things that no source of ours uses, with the files that may.
@Suite("Tidy: words") struct WordTests {
  struct Word: Sendable, CustomTestStringConvertible {
    let text: String
    var allowedIn: Set<String> = []
    let instead: String
    var testDescription: String { text }
  }

  static let words = [
    Word(text: "TO" + "DO", instead: "do it, or file an issue"),
    Word(text: "FIX" + "ME", instead: "fix it, or file an issue"),
    Word(text: "try!", instead: "a typed throw, or a precondition with a reason"),
    Word(text: "fatalError(", instead: "preconditionFailure with a reason"),
    Word(text: "nonisolated(unsafe)", instead: "state that belongs to a shard"),
    Word(
      text: " Task {", allowedIn: ["Sources/RoostClient/Line/TokenTask.swift"],
      instead: "a child of a task group, or a shard's mailbox"),
    Word(text: "Task.detached", instead: "a child of a task group, or a shard's mailbox"),
    // A proof of soundness stands at the line, and the file's name here.
    Word(
      text: "@unchecked Sendable", allowedIn: ["Sources/Tokens/KeyHandle.swift"],
      instead: "an actor, a Mutex, or a value"),
    Word(text: " Process" + "()", instead: "RoostTesting.TestProcess, which hands no pipe of ours to others"),
    Word(text: "@_cdecl", instead: "@c"),
    Word(text: "@inlinable", instead: "public, and -cross-module-optimization in release builds"),
    Word(text: "package func", instead: "public: package code is not optimised across targets"),
  ]

  @Test(arguments: words)
  func `is not used`(word: Word) throws {
    for file in Repository.sources where !word.allowedIn.contains(file.path) {
      guard try file.holds(word.text) else { continue }
      for (index, line) in try file.lines().enumerated() where line.contains(word.text) {
        Issue.record("\(file.path):\(index + 1) uses \(word.text); instead: \(word.instead)")
      }
    }
  }

  @Test(arguments: Repository.files)
  func `names no place of one machine`(file: RepositoryFile) throws {
    // Pictures and the like are no text.
    guard let text = try? file.text() else { return }
    let slash = UInt8(ascii: "/")
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where line.utf8.contains(slash) {
      guard let place = line.firstMatch(of: /(?:^|[\s"'=:(])(\/(?:work|root|home|Users)\/\w+)/)?.1 else { continue }
      Issue.record("\(file.path):\(index + 1) names \(place)")
    }
  }
}
