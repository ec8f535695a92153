/// The configuration as people read it.
public enum ConfigurationText {
  /// All settings with their values, one a line, as `roost serve --check` prints them.
  public static func effective(_ configuration: ServerConfiguration) -> String {
    let width = column
    let lines = Setting.all.map { setting in
      let value = setting.shownValue(in: configuration)
      return padded(setting.name, width) + (value.isEmpty ? "(empty)" : value)
    }
    let secret = configuration.secret.isEmpty ? "(none)" : "***"
    return (lines + [padded("secret", width) + secret]).joined(separator: "\n") + "\n"
  }

  /// The list of flags, with what they mean, what may be written and what holds otherwise.
  public static func help() -> String {
    let plain = ServerConfiguration()
    let entries = Setting.all.map { setting in
      let value = setting.value(in: plain)
      return """
          --\(padded(setting.name, column - 4))\(setting.meaning)
        \(padded("", column))\(setting.form)\(value.isEmpty ? "" : "; default \(value)")
        """
    }
    return """
      Settings, as flags or in the environment (--redis-url is ROOST_REDIS_URL). Flags win.

      \(entries.joined(separator: "\n"))
          --\(padded("secret-file", column - 4))secrets of tokens, HS256 unless said, at least 32 bytes: [kid=][ALG:]path between commas
      \(padded("", column))in the environment: ROOST_SECRET_FILE, or the secret itself as ROOST_SECRET

      """
  }

  private static let column = Setting.all.map(\.name.count).max().map { $0 + 6 } ?? 0

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
