/// Puts a configuration together from flags and environment; flags win.
///
/// It goes on after a mistake, so that an operator sees all of them at once. The secret has rules of its own: it comes
/// from `--secret-file`, `ROOST_SECRET_FILE` or `ROOST_SECRET`, never from the command line, which every user of the
/// machine can read.
public struct ConfigurationReader {
  public private(set) var configuration: ServerConfiguration
  /// Values that are none, flags that do not exist, and what ``ServerConfiguration/problems`` says.
  public private(set) var problems: [String] = []
  /// Nothing that stops a node, but perhaps a typing error.
  public private(set) var remarks: [String] = []
  private var environment: [String: String]
  private let readFile: (String) throws -> [UInt8]

  /// - Parameters:
  ///   - arguments: Flags as `--name value`, `--name=value` or, for switches, `--name`.
  ///   - base: What holds where nothing is set.
  ///   - readFile: The bytes of a file.
  public init(
    arguments: [String], environment: [String: String], base: ServerConfiguration = ServerConfiguration(),
    readFile: @escaping (String) throws -> [UInt8]
  ) {
    configuration = base
    self.environment = environment
    self.readFile = readFile
    for setting in Setting.all {
      if let text = environment[setting.variable] { store(text, setting.variable, setting) }
    }
    let secretFile = readFlags(arguments[...])
    readSecret(file: secretFile)
    remark()
    problems += configuration.problems
  }

  // MARK: Flags

  /// Returns the value of `--secret-file`.
  private mutating func readFlags(_ arguments: ArraySlice<String>) -> String? {
    var rest = arguments
    var secretFile: String?
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--"), argument.count > 2 else {
        problems.append("\"\(argument)\" is not a flag")
        continue
      }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      var value = parts.count > 1 ? String(parts[1]) : nil
      let setting = Setting.all.first { $0.name == name }
      if value == nil, setting?.isSwitch == true { value = "true" }
      // What follows an unknown flag is most likely its value, and would only be a second complaint.
      if value == nil, rest.first?.hasPrefix("--") == false { value = rest.popFirst() }
      switch name {
      case "secret":
        problems.append("--secret: command lines are no secret; use --secret-file or ROOST_SECRET")
      case _ where setting == nil && name != "secret-file":
        problems.append("--\(name): there is no such flag" + Self.suggestion(for: name))
      default:
        guard let value else {
          problems.append("--\(name): a value is missing")
          continue
        }
        if let setting { store(value, "--\(name)", setting) } else { secretFile = value }
      }
    }
    return secretFile
  }

  private mutating func store(_ text: String, _ source: String, _ setting: Setting) {
    if let problem = setting.store(text, in: &configuration) { problems.append("\(source): \(problem)") }
  }

  /// The flag that shares the longest beginning, when it is long enough to be meant.
  private static func suggestion(for name: String) -> String {
    let shared = { (other: String) in zip(name, other).prefix { $0 == $1 }.count }
    guard let best = Setting.all.map(\.name).max(by: { shared($0) < shared($1) }), shared(best) >= 4 else { return "" }
    return " (--\(best)?)"
  }

  // MARK: Secret

  private mutating func readSecret(file flag: String?) {
    guard let path = flag ?? environment["ROOST_SECRET_FILE"].flatMap({ $0.isEmpty ? nil : $0 }) else {
      if let secret = environment["ROOST_SECRET"] { configuration.secret = Array(secret.utf8) }
      return
    }
    do {
      var secret = try readFile(path)
      // Editors and `echo` end files with a line end that nobody means.
      while let last = secret.last, [0x0A, 0x0D].contains(last) { secret.removeLast() }
      configuration.secret = secret
    } catch {
      problems.append("the secret file \(path) cannot be read: \(error)")
    }
  }

  private mutating func remark() {
    let known = Set(Setting.all.map(\.variable) + ["ROOST_SECRET", "ROOST_SECRET_FILE"])
    remarks = environment.keys.filter { $0.hasPrefix("ROOST_") && !known.contains($0) }.sorted()
      .map { "\($0) is not a setting" }
    remarks += configuration.remarks
  }
}
