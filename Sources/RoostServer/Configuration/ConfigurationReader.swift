/// Puts a configuration together from flags and environment; flags win.
///
/// It goes on after a mistake, so that an operator sees all of them at once. Secrets have rules of their own, see
/// ``SecretSetting``.
public struct ConfigurationReader {
  public private(set) var configuration: ServerConfiguration
  /// Values that are none, flags that do not exist, and what ``ServerConfiguration/problems`` says.
  public private(set) var problems: [String] = []
  /// Nothing that stops a node, but perhaps a typing error, or a secret that others can read.
  public private(set) var remarks: [String] = []
  private var environment: [String: String]
  private let readFile: (String) throws -> [UInt8]
  private let isExposed: (String) -> Bool
  /// Files that flags name, by the secret.
  private var secretFiles: [String: String] = [:]

  /// - Parameters:
  ///   - arguments: Flags as `--name value`, `--name=value` or, for switches, `--name`.
  ///   - base: What holds where nothing is set.
  ///   - isExposed: Whether others than its owner may read a file.
  ///   - readFile: The bytes of a file.
  public init(
    arguments: [String], environment: [String: String], base: ServerConfiguration = ServerConfiguration(),
    isExposed: @escaping (String) -> Bool = { _ in false }, readFile: @escaping (String) throws -> [UInt8]
  ) {
    configuration = base
    self.environment = environment
    self.readFile = readFile
    self.isExposed = isExposed
    for setting in Setting.all {
      if let text = environment[setting.variable] { store(text, setting.variable, setting) }
    }
    readFlags(arguments[...])
    remark()
    SecretSetting.all.forEach { read($0) }
    readPublicKeys()
    for path in [configuration.tls.keyFile, configuration.redisTLS.own.keyFile] where !path.isEmpty {
      remarkExposed(path)
    }
    problems += configuration.problems
  }

  // MARK: Flags

  private mutating func readFlags(_ arguments: ArraySlice<String>) {
    var rest = arguments
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
      if let secret = SecretSetting.all.first(where: { $0.name == name }) {
        problems.append(Self.refusal("--\(name)", secret))
      } else if let secret = SecretSetting.all.first(where: { $0.fileFlag == name }) {
        if let value { secretFiles[secret.name] = value } else { problems.append("--\(name): a value is missing") }
      } else if let setting {
        if let value { store(flag: value, setting) } else { problems.append("--\(name): a value is missing") }
      } else {
        problems.append("--\(name): there is no such flag" + Self.suggestion(for: name))
      }
    }
  }

  private static func refusal(_ flag: String, _ secret: SecretSetting) -> String {
    "\(flag): command lines are no secret; use --\(secret.fileFlag) or \(secret.variable)"
  }

  private mutating func store(flag text: String, _ setting: Setting) {
    guard !setting.holdsPassword(text) else {
      let instead = "use \(setting.variable), or leave the password out"
      let more = setting.name == "redis-url" ? " and give --redis-password-file or ROOST_REDIS_PASSWORD" : ""
      problems.append("--\(setting.name): holds a password, and command lines are no secret; \(instead)\(more)")
      return
    }
    store(text, "--\(setting.name)", setting)
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

  // MARK: Secrets

  private mutating func read(_ secret: SecretSetting) {
    let fromVariable = environment[secret.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
    if let path = secretFiles[secret.name] ?? fromVariable { return read(secret, file: path) }
    guard let text = environment[secret.variable], !text.isEmpty else { return }
    if let problem = secret.store(Array(text.utf8), &configuration) {
      problems.append("\(secret.variable): \(problem)")
    }
  }

  private mutating func read(_ secret: SecretSetting, file path: String) {
    if secret.name == SecretSetting.tokens.name { return readTokenSecrets(path) }
    guard let text = readSecret(secret, path) else { return }
    if let problem = secret.store(text, &configuration) { problems.append("--\(secret.fileFlag): \(problem)") }
  }

  /// Secrets of tokens may be several, each with a name and an algorithm.
  private mutating func readTokenSecrets(_ list: String) {
    for place in KeySource.Place.list(list) {
      guard let text = readSecret(.tokens, place.path) else { continue }
      configuration.keys.append(KeySource(.secret, place, text))
    }
  }

  private mutating func readSecret(_ secret: SecretSetting, _ path: String) -> [UInt8]? {
    // What is no path may be the secret itself, in the wrong place.
    let shown = path.hasPrefix("/") || path.hasPrefix(".") ? path : "the file"
    guard var text = read(path, "--\(secret.fileFlag): \(shown)") else { return nil }
    // Editors and `echo` end files with a line end that nobody means.
    while let last = text.last, [0x0A, 0x0D].contains(last) { text.removeLast() }
    remarkExposed(path)
    return text
  }

  private mutating func remarkExposed(_ path: String) {
    if isExposed(path) { remarks.append("\(path) can be read by others than its owner: chmod 600 \(path)") }
  }

  private mutating func readPublicKeys() {
    let tokens = configuration.tokens
    for place in KeySource.Place.list(tokens.publicKeyFiles) {
      guard let pem = read(place.path, "public-key-file: \(place.path)") else { continue }
      configuration.keys.append(KeySource(.publicKey, place, pem))
    }
    if !tokens.jwksFile.isEmpty, let set = read(tokens.jwksFile, "jwks-file: \(tokens.jwksFile)") {
      var place = KeySource.Place("")
      place.path = tokens.jwksFile
      configuration.keys.append(KeySource(.keySet, place, set))
    }
    // libcurl reads it at every fetch; that it cannot be read is better said now.
    if !tokens.jwksCAFile.isEmpty { _ = read(tokens.jwksCAFile, "jwks-ca-file: \(tokens.jwksCAFile)") }
  }

  private mutating func read(_ path: String, _ what: String) -> [UInt8]? {
    do { return try readFile(path) } catch {
      problems.append("\(what) cannot be read: \(error)")
      return nil
    }
  }

  private mutating func remark() {
    let secrets = SecretSetting.all.flatMap { [$0.variable, $0.fileVariable] }
    let known = Set(Setting.all.map(\.variable) + secrets)
    remarks = environment.keys.filter { $0.hasPrefix("ROOST_") && !known.contains($0) }.sorted()
      .map { "\($0) is not a setting" }
    remarks += configuration.remarks
  }
}
