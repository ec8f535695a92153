import Foundation
import Testing

/// `docs/SECURITY-MODEL.md` names tests, metrics and settings: they must be there, and it must leave nothing out.
@Suite("Tidy: security model") struct SecurityModelTests {
  private let text: String

  init() throws {
    let file = try #require(Repository.documents.first { $0.path == "docs/SECURITY-MODEL.md" })
    text = try file.text()
  }

  /// What is quoted as code, in order.
  private var quoted: [Substring] { text.matches(of: /`([^`\n]+)`/).map(\.1) }

  /// `Suite` or `Suite/words`, perhaps with the target in front where two have a suite of that name.
  private static func test(_ quote: Substring) -> (target: Substring?, suite: Substring, words: Substring?)? {
    guard let match = quote.wholeMatch(of: /(?:(\w+)\/)?(\w+(?:Tests|Contract))(?:\/(.+))?/) else { return nil }
    return (match.1, match.2, match.3)
  }

  private static func files(_ target: Substring?, _ suite: Substring) -> [RepositoryFile] {
    Repository.swift.filter {
      $0.path.hasPrefix("Tests/") && $0.name == "\(suite).swift"
        && (target == nil || $0.target == target.map(String.init))
    }
  }

  @Test func `every test that it names is there`() throws {
    var count = 0
    for quote in quoted {
      guard let (target, suite, words) = Self.test(quote), !Self.isFolder(quote) else { continue }
      count += 1
      let files = Self.files(target, suite)
      #expect(files.count == 1, "\(quote): there are \(files.count) of that name")
      guard let words else { continue }
      let isThere = try files.contains { try $0.text().contains(words) }
      #expect(isThere, "\(quote): no such words in it")
    }
    #expect(count > 150)
  }

  /// A target, named as a place.
  private static func isFolder(_ quote: Substring) -> Bool {
    Repository.swift.contains { $0.path.hasPrefix("Tests/\(quote)/") }
  }

  /// Words stand for a test or a row only when they are a name or the beginning of one, never part of a comment.
  @Test func `the words of tests are names`() throws {
    for quote in quoted {
      guard let (target, suite, words) = Self.test(quote), let words else { continue }
      for file in Self.files(target, suite) {
        let isName = try file.lines().contains { line in
          !line.contains(/^ *\/\//) && (line.contains("`\(words)") || line.contains("\"\(words)"))
        }
        #expect(isName, "\(quote)")
      }
    }
  }

  @Test func `every metric that it names is there`() throws {
    let sources = try Repository.sources.map { try $0.text() }
    var count = 0
    for quote in quoted {
      guard let name = quote.prefixMatch(of: /roost_\w+/)?.0 else { continue }
      count += 1
      #expect(sources.contains { $0.contains("\"\(name)\"") }, "\(name)")
    }
    #expect(count > 20)
  }

  @Test func `every setting that it names is there`() throws {
    let settings = try Repository.sources.filter { $0.path.contains("/Configuration/") }.map { try $0.text() }
    var count = 0
    for quote in quoted {
      guard let name = quote.prefixMatch(of: /--([a-z-]+)/)?.1 else { continue }
      count += 1
      // Secrets have a setting that names their file.
      let names = [String(name), String(name.replacing(/-file$/, with: ""))]
      #expect(settings.contains { text in names.contains { text.contains("\"\($0)\"") } }, "--\(name)")
    }
    #expect(count > 20)
  }

  @Test(arguments: [
    "Node/RefusalReason", "API/CallRefused", "Shard/CloseReason",
  ])
  func `every reason to turn somebody away is named`(file: String) throws {
    try check("Sources/RoostServer/\(file).swift")
  }

  @Test func `every reason to refuse a token is named`() throws { try check("Sources/Tokens/TokenError.swift") }

  /// The document has all cases of the file's enumeration, in the manner of metrics.
  private func check(_ path: String) throws {
    let file = try #require(Repository.sources.first { $0.path == path })
    var words: [String] = []
    for line in try file.lines() {
      guard let list = line.wholeMatch(of: /^ {2}case ([a-zA-Z, ]+)/)?.1 else { continue }
      words += list.split(separator: ", ").map { Self.word($0) }
    }
    #expect(words.count > 5)
    let names = Set(quoted)
    for word in words { #expect(names.contains(word[...]), "\(word) of \(path)") }
  }

  /// `tooManyFragments` is `too_many_fragments`, `invalidUTF8` is `invalid_utf8`.
  private static func word(_ name: Substring) -> String {
    name.replacing(/([a-z])([A-Z]+)/) { "\($0.1)_\($0.2)" }.lowercased()
  }

  /// Rows have numbers without a gap, and each says which test shows it.
  @Test func `every row is shown by a test`() throws {
    var rows: [Character: Int] = [:]
    for line in text.split(separator: "\n") {
      guard let match = line.prefixMatch(of: /\| ([HTFMA])(\d+) \|/), let letter = match.1.first else { continue }
      rows[letter, default: 0] += 1
      #expect(Int(match.2) == rows[letter], "\(match.0)")
      let shown = line.split(separator: "|").last ?? ""
      let tests = shown.matches(of: /`([^`]+)`/).filter { Self.test($0.1)?.words != nil }
      #expect(!tests.isEmpty, "\(match.0) names no test")
    }
    #expect(rows == ["H": 17, "T": 14, "F": 11, "M": 18, "A": 8])
  }

  /// Whoever attacks is stopped by something that a test shows, if only by a row.
  @Test func `every attack is shown by a test or a row`() throws {
    let start = try #require(text.firstRange(of: "## A stranger")).upperBound
    let end = try #require(text.firstRange(of: "## Row by row")).lowerBound
    var count = 0
    for line in text[start..<end].split(separator: "\n") where line.hasPrefix("| ") {
      let cells = line.split(separator: "|").map { $0.drop { $0 == " " } }
      guard let shown = cells.last, !["Tries", "Has", "Does"].contains(where: { cells[0].hasPrefix($0) }) else {
        continue
      }
      count += 1
      let isShown = shown.contains(/\b[HTFMA]\d/) || shown.matches(of: /`([^`]+)`/).contains { Self.test($0.1) != nil }
      #expect(isShown, "\(line)")
    }
    #expect(count > 35)
  }

  @Test(arguments: ["Attack runs", "Fuzzing", "What is not defended", "Where we differ"])
  func `has its place`(heading: String) {
    #expect(text.contains("\n## \(heading)\n"))
  }
}
