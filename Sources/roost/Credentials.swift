import RoostServer

/// Tokens and keys of the API as commands get them: from files or the environment, never from the command line.
enum Credentials {
  /// The token in `--token-file`, or `ROOST_TOKEN`; `nil` when there is none. What is wrong is noted in `flags`.
  static func token(_ flags: inout Flags) -> String? {
    var text = Console.environment["ROOST_TOKEN"] ?? ""
    if let path = flags["token-file"] {
      guard let bytes = try? Console.readFile(path) else {
        flags.refuse("--token-file: cannot be read")
        return nil
      }
      text = String(decoding: bytes, as: UTF8.self)
    }
    text = String(text.drop { $0.isWhitespace }.prefix { !$0.isWhitespace })
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      flags.refuse("the token is not ASCII")
      return nil
    }
    return text.isEmpty ? nil : text
  }

  /// What opens the API: its first key in the places where `serve` looks for them (`--api-key-file`,
  /// `ROOST_API_KEY_FILE`, `ROOST_API_KEY`), or else an admin's token.
  static func api(_ flags: inout Flags) -> String? {
    let reader = ConfigurationReader(
      arguments: flags["api-key-file"].map { ["--api-key-file", $0] } ?? [],
      environment: Console.environment.filter { $0.key.hasPrefix("ROOST_API_KEY") }, readFile: Console.readFile)
    if let key = reader.configuration.apiKeys.first {
      let text = String(decoding: key, as: UTF8.self)
      if !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) { return text }
      flags.refuse("the API's key is not one line of visible ASCII")
      return nil
    }
    let problems = reader.problems.filter { $0.contains("api-key") || $0.contains("API_KEY") }
    problems.forEach { flags.refuse($0) }
    if !problems.isEmpty { return nil }
    guard let token = token(&flags) else {
      if flags.problems.isEmpty {
        flags.refuse("there is no key: set ROOST_API_KEY, or --api-key-file, or an admin's token in ROOST_TOKEN")
      }
      return nil
    }
    return token
  }
}
