import Testing

/// Numbers of the house: small files, small functions, narrow lines.
@Suite("Tidy: size") struct SizeTests {
  @Test(arguments: Repository.swift)
  func `is short`(file: RepositoryFile) throws {
    let lines = try file.lines()
    #expect(lines.count <= 401, "split \(file.path)")  // the last line break starts an empty line
    for (index, line) in lines.enumerated() where line.count > 120 {
      Issue.record("\(file.path):\(index + 1) is wider than 120 columns")
    }
    for function in FunctionLength.all(in: lines) where function.lineCount > 70 {
      Issue.record("\(file.path):\(function.lineNumber) \(function.name) has \(function.lineCount) lines")
    }
  }

  @Test func `finds the sources`() {
    #expect(Repository.sources.count > 10)
  }
}
