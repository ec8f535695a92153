/// The configuration as people read it.
public enum ConfigurationText {
  /// All settings with their values, one a line, as `roost serve --check` prints them.
  public static func effective(_ configuration: ServerConfiguration) -> String {
    let width = column
    let lines = Setting.all.map { setting in
      let value = setting.shownValue(in: configuration)
      return padded(setting.name, width) + (value.isEmpty ? "(empty)" : value)
    }
    let secrets = SecretSetting.all.map { padded($0.name, width) + ($0.isSet(configuration) ? "***" : "(none)") }
    return (lines + secrets).joined(separator: "\n") + "\n"
  }

  /// The list of flags, with what they mean, what may be written and what holds otherwise.
  public static func help() -> String {
    let plain = ServerConfiguration()
    let entries = SettingGroup.all.flatMap { group in
      ["\(group.title):"]
        + group.settings.map { setting in
          let value = setting.value(in: plain)
          return """
              --\(padded(setting.name, column - 4))\(setting.meaning)
            \(padded("", column))\(setting.form)\(value.isEmpty ? "" : "; default \(value)")
            """
        }
    }
    let secrets = SecretSetting.all.map { secret in
      """
          --\(padded(secret.fileFlag, column - 4))file with \(secret.meaning)
        \(padded("", column))in the environment: \(secret.fileVariable), or what it holds as \(secret.variable)
      """
    }
    return """
      Settings, as flags or in the environment (--redis-url is ROOST_REDIS_URL). Flags win.

      \(entries.joined(separator: "\n"))
      Secrets:
      \(secrets.joined(separator: "\n"))

      """
  }

  private static let column = Setting.all.map(\.name.count).max().map { $0 + 6 } ?? 0

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
