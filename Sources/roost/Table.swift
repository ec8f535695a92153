/// Columns for people: the first to the left, the others to the left or, when they hold numbers, to the right.
struct Table {
  private let numbers: Set<Int>
  private var rows: [[String]]

  /// - Parameter numbers: the columns to be set to the right.
  init(_ head: [String], numbers: Set<Int> = []) { (rows, self.numbers) = ([head], numbers) }

  /// What strangers wrote is made harmless.
  mutating func add(_ row: [String?]) { rows.append(row.map { Terminal.harmless($0 ?? "-") }) }

  /// Of which the first is the head.
  var lines: [String] {
    let widths = rows[0].indices.map { column in rows.map { Columns.of($0[column]) }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - Columns.of(row[column]))
        return numbers.contains(column) ? space + row[column] : row[column] + space
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
  }
}
