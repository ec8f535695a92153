/// Finds functions and their lengths by indentation, which `swift format` makes reliable.
///
/// A declaration starts on a line with `func`, `init`, `deinit`, `subscript` or a `var` with a body, and ends on the
/// first later line that is a closing brace of the same indentation. Requirements without a body are passed over.
struct FunctionLength: Equatable {
  let name: String
  let lineNumber: Int
  let lineCount: Int

  static func all(in lines: [Substring]) -> [FunctionLength] {
    lines.indices.compactMap { start in
      guard let name = declaredName(lines[start]), opensBody(from: start, in: lines) else { return nil }
      let closing = String(repeating: " ", count: indentation(lines[start])) + "}"
      guard let end = lines[(start + 1)...].firstIndex(where: { $0.hasPrefix(closing) }) else { return nil }
      return FunctionLength(name: name, lineNumber: start + 1, lineCount: end - start + 1)
    }
  }

  private static let keywords: Set<Substring> = ["func", "var", "deinit"]

  private static func declaredName(_ line: Substring) -> String? {
    // Few lines need the pattern: words are cheaper to look at.
    let words = line.split(separator: " ")
    let mayDeclare = words.contains { keywords.contains($0) || $0.hasPrefix("init") || $0.hasPrefix("subscript") }
    guard mayDeclare, words.first != "//", words.first != "///" else { return nil }
    let pattern = /^ *(?:[@\w().:]+ +)*?(?:func +(`[^`]+`|[^ (<]+)|(init|deinit|subscript)\b|var +(\w+)[^=]*\{$)/
    guard let match = line.firstMatch(of: pattern) else { return nil }
    return String(match.1 ?? match.2 ?? match.3 ?? "")
  }

  /// Whether the declaration, which may take several lines, ends in an open brace.
  private static func opensBody(from start: Int, in lines: [Substring]) -> Bool {
    let depth = indentation(lines[start])
    for (offset, line) in lines[start...].enumerated() {
      let isInside = offset == 0 || indentation(line) > depth || line.dropFirst(depth).hasPrefix(")")
      guard isInside, !line.isEmpty else { return line.dropFirst(depth) == "{" }
      if line.hasSuffix("{") { return true }
      if line.hasSuffix("}") { return false }
    }
    return false
  }

  private static func indentation(_ line: Substring) -> Int { line.prefix { $0 == " " }.count }
}
