/// Something only the node may know. It comes from a file or from the environment, never from the command line, which
/// every user of the machine can read; and it is shown to nobody.
public struct SecretSetting: Sendable {
  /// `api-key` is read from `--api-key-file`, `ROOST_API_KEY_FILE` or `ROOST_API_KEY`, the first that is given.
  public let name: String
  /// What it is, and what it has to look like, in one line.
  public let meaning: String
  let isSet: @Sendable (ServerConfiguration) -> Bool
  /// Stores what the file or the variable holds; what is wrong with it otherwise, in words without it.
  let store: @Sendable ([UInt8], inout ServerConfiguration) -> String?

  public static let all: [SecretSetting] = [tokens, apiKeys, redisPassword]

  /// Whether a secret's file lets in more than it must.
  ///
  /// Of a file that belongs to somebody else (root's, by systemd or Kubernetes) the group is how the node itself reads
  /// it.
  ///
  /// - Parameters:
  ///   - mode: the file's permissions, as `stat` has them.
  ///   - isOwn: whether the file belongs to the user of this process.
  public static func isExposed(mode: UInt32, isOwn: Bool) -> Bool { mode & (isOwn ? 0o044 : 0o004) != 0 }

  var fileFlag: String { name + "-file" }
  var variable: String { "ROOST_" + String(name.uppercased().map { $0 == "-" ? "_" : $0 }) }
  var fileVariable: String { variable + "_FILE" }

  static let tokens = SecretSetting(
    name: "secret", meaning: "the secret of the tokens, at least 32 bytes", isSet: { !$0.secret.isEmpty },
    store: {
      $1.secret = $0
      return nil
    })

  private static let apiKeys = SecretSetting(
    name: "api-key", meaning: "keys of the HTTP API, one a line, 32 to 512 characters each",
    isSet: { !$0.apiKeys.isEmpty },
    store: { text, configuration in
      let lines = text.split { $0 == 0x0A || $0 == 0x0D }.map(Array.init)
      configuration.apiKeys = lines
      return lines.isEmpty ? "there is no key in it" : nil
    })

  private static let redisPassword = SecretSetting(
    name: "redis-password", meaning: "the password for Redis; the user, if any, stands in the URL",
    isSet: { !$0.redisPassword.isEmpty },
    store: { text, configuration in
      guard let password = String(validating: text, as: UTF8.self) else { return "it is not UTF-8" }
      configuration.redisPassword = password
      return nil
    })
}

/// A URL as far as a password may stand in it: `scheme://[[user]:password@]rest`.
public enum CredentialURL {
  /// Whether it, or one of several between commas, holds more than a user. A lone word before the `@` is a password.
  public static func holdsPassword(_ text: String) -> Bool {
    text.split(separator: ",").contains { oneHoldsPassword(String($0)) }
  }

  private static func oneHoldsPassword(_ text: String) -> Bool {
    let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
    let authority = text[start...].prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@") else { return false }
    let credentials = authority[..<at]
    guard let colon = credentials.firstIndex(of: ":") else { return !credentials.isEmpty }
    return credentials.index(after: colon) != credentials.endIndex
  }

  /// The URL as it may be shown: `***` for user and password.
  public static func hidden(_ text: String) -> String {
    guard let at = text.lastIndex(of: "@") else { return text }
    let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
    return start <= at ? text[..<start] + "***" + text[at...] : "***" + text[at...]
  }
}
