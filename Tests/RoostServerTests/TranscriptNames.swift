/// What stands for something that is another each time: `"…"` for any string, `…` for any number, and `"‹name›"` for a
/// string that is the same wherever the name comes again.
struct TranscriptNames {
  private var meanings: [String: String] = [:]

  /// The text with what its names stand for; `unknown` is asked for those that nothing was heard for yet.
  mutating func fill(_ text: String, _ unknown: (String) throws -> String?) rethrows -> String {
    var (filled, rest) = ("", text[...])
    while let start = rest.firstIndex(of: "‹"), let end = rest[start...].firstIndex(of: "›") {
      let name = String(rest[rest.index(after: start)..<end])
      if meanings[name] == nil { meanings[name] = try unknown(name) }
      filled += rest[..<start] + (meanings[name] ?? "‹\(name)›")
      rest = rest[rest.index(after: end)...]
    }
    return filled + rest
  }

  /// Whether `text` is as `expected` says, byte for byte but for what stands for something; remembers new names.
  mutating func matches(_ expected: String, _ text: String) -> Bool {
    var (pattern, rest) = (expected[...], text[...])
    while let first = pattern.first {
      if first == "…" {
        let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
        guard !digits.isEmpty else { return false }
        rest = rest.dropFirst(digits.count)
        pattern = pattern.dropFirst()
      } else if pattern.hasPrefix("\"…\"") {
        guard let string = Self.string(&rest), !string.isEmpty else { return false }
        pattern = pattern.dropFirst(3)
      } else if pattern.hasPrefix("\"‹"), let end = pattern.firstIndex(of: "›") {
        let name = String(pattern[..<end].dropFirst(2))
        guard let string = Self.string(&rest), meanings[name, default: string] == string else { return false }
        meanings[name] = string
        pattern = pattern[end...].dropFirst(2)
      } else {
        guard rest.popFirst() == first else { return false }
        pattern = pattern.dropFirst()
      }
    }
    return rest.isEmpty
  }

  /// Takes a JSON string off the front; its contents.
  private static func string(_ text: inout Substring) -> String? {
    guard text.popFirst() == "\"" else { return nil }
    var (contents, isEscaped) = ("", false)
    while let letter = text.popFirst() {
      if letter == "\"" && !isEscaped { return contents }
      isEscaped = letter == "\\" && !isEscaped
      contents.append(letter)
    }
    return nil
  }
}
