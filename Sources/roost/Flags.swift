/// The flags of one command: `--name value`, `--name=value`, or a lone `--name` for switches. `--` ends them.
struct Flags {
  private(set) var problems: [String] = []
  /// What stands behind a lone `--`, and words that are no flags, in order.
  private(set) var rest: [String] = []
  private var values: [String: String] = [:]
  private var switches: Set<String> = []

  init(_ arguments: [String], values names: Set<String>, switches known: Set<String> = []) {
    var arguments = arguments[...]
    while let argument = arguments.popFirst() {
      if argument == "--" {
        rest += arguments
        break
      }
      guard argument.hasPrefix("--") else {
        rest.append(argument)
        continue
      }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if known.contains(name) && parts.count == 1 {
        switches.insert(name)
      } else if let variable = Self.secrets[name] {
        problems.append("--\(name): command lines are no secret; use --\(name)-file or \(variable)")
        arguments = arguments.dropFirst(parts.count == 1 ? 1 : 0)
      } else if !names.contains(name) {
        problems.append("--\(name): there is no such flag")
        if arguments.first?.hasPrefix("--") == false { arguments = arguments.dropFirst() }
      } else if let value = parts.count > 1 ? String(parts[1]) : arguments.popFirst() {
        values[name] = value
      } else {
        problems.append("--\(name): a value is missing")
      }
    }
  }

  /// What is read from a file or the environment only.
  private static let secrets = ["secret": "ROOST_SECRET", "token": "ROOST_TOKEN", "api-key": "ROOST_API_KEY"]

  subscript(name: String) -> String? { values[name] }

  func has(_ name: String) -> Bool { switches.contains(name) }

  mutating func integer(_ name: String, _ range: ClosedRange<Int>, default standard: Int) -> Int {
    guard let text = values[name] else { return standard }
    guard let number = Int(text), range.contains(number) else {
      problems.append("--\(name): \"\(text)\" is not \(range.lowerBound)...\(range.upperBound)")
      return standard
    }
    return number
  }

  mutating func decimal(_ name: String, _ range: ClosedRange<Double>, default standard: Double) -> Double {
    guard let text = values[name] else { return standard }
    guard let number = Double(text), range.contains(number) else {
      problems.append("--\(name): \"\(text)\" is not \(range.lowerBound)...\(range.upperBound)")
      return standard
    }
    return number
  }

  mutating func refuse(_ problem: String) { problems.append(problem) }

  /// Says what is wrong, if anything is.
  func complain(_ command: String) -> Bool {
    for problem in problems { Console.complain("roost \(command): \(problem)") }
    return !problems.isEmpty
  }
}
