/// Rows as people read them: aligned text, or Markdown.
public enum FaultTable {
  private static let width = 22

  public static var textHead: String {
    pad("fault", width) + pad("seed", 7) + pad("s", 5)
      + Counts.columns.map { pad($0.title, $0.title.count + 2) }.joined()
  }

  public static func text(_ row: FaultRow) -> String {
    let counts = Counts.columns.map { pad("\(row.counts[keyPath: $0.path])", $0.title.count + 2) }.joined()
    var line = pad(row.name, width) + pad("\(row.seed)", 7) + pad("\(Int(row.seconds))", 5) + counts
    line += row.isGood ? "ok" : "VIOLATED"
    if let failure = row.failure { line += "  \(failure)" }
    if !row.notes.isEmpty { line += "\n    " + row.notes.joined(separator: "; ") }
    return line
  }

  public static var markdownHead: String {
    let titles = ["fault", "seed", "s"] + Counts.columns.map(\.title) + ["note"]
    return "| " + titles.joined(separator: " | ") + " |\n|" + String(repeating: "---|", count: titles.count)
  }

  public static func markdown(_ row: FaultRow) -> String {
    let counts = Counts.columns.map { "\(row.counts[keyPath: $0.path])" }
    let remark = ([row.failure.map { "not run: \($0)" }].compactMap(\.self) + row.notes).joined(separator: "; ")
    let cells = ["`\(row.name)`: \(row.summary)", "\(row.seed)", "\(Int(row.seconds))"] + counts + [remark]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text.count < width ? text + String(repeating: " ", count: width - text.count) : text + " "
  }
}
