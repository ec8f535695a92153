/// Settings that belong together, so that people find the one they look for. A new group is a line here.
public struct SettingGroup: Sendable {
  /// A few words, as a heading.
  public let title: String
  public let settings: [Setting]

  /// All groups, in the order of the help and of `docs/CONFIGURATION.md`.
  public static let all = [
    SettingGroup(title: "Place and Redis", settings: Setting.place),
    SettingGroup(title: "TLS", settings: Setting.tls),
    SettingGroup(title: "Tokens", settings: Setting.tokens),
    SettingGroup(title: "Administration and API", settings: Setting.administration),
    SettingGroup(title: "Chat and echo", settings: Setting.protocolRules),
    SettingGroup(title: "Rooms of tokens that name none", settings: Setting.rooms),
    SettingGroup(title: "Who is let in", settings: Setting.door),
    SettingGroup(title: "Compression", settings: Setting.compression),
    SettingGroup(title: "Sizes, queues and history", settings: Setting.limits),
    SettingGroup(title: "What a client may do how often", settings: Setting.conduct),
    SettingGroup(title: "Times", settings: Setting.times),
    SettingGroup(title: "Drain and rebalance", settings: Setting.drain),
    SettingGroup(title: "Log", settings: Setting.logging),
  ]
}
