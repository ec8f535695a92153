import HTTPCore

extension Setting {
  /// Who is let in, and how many of them.
  static let door: [Setting] = [
    Setting(
      "origins", "web origins let in; empty: only the node's own host", form: "* or origins between commas",
      read: { $0.origins.text },
      write: { text, configuration in
        configuration.origins = .init(text)
        return true
      }),
    Setting(
      "trusted-proxies", "balancers that say who the client is; empty: nobody is believed",
      form: "addresses or networks between commas, such as 10.0.0.0/8,fd00::1",
      read: { $0.trustedProxies.map(\.description).joined(separator: ",") },
      write: { text, configuration in
        let words = words(text)
        configuration.trustedProxies = words.compactMap { NetworkRange($0) }
        return configuration.trustedProxies.count == words.count
      }),
    Setting(
      "proxy-protocol", "trusted proxies begin with a PROXY header; off: X-Forwarded-For counts", form: "off | on"
    ) {
      $0.expectsProxyHeader ? "on" : "off"
    } write: { text, configuration in
      configuration.expectsProxyHeader = text == "on"
      return text == "on" || text == "off"
    },
    .number(
      "connections-per-user", "connections of one user; over it: 429", 1...1_000_000, "connections",
      \.limits.connectionsPerUser),
    .number(
      "connections-per-address", "connections of one IP address (IPv6: /64); over it: 429", 1...1_000_000,
      "connections", \.limits.connectionsPerAddress),
    .number(
      "connects-per-address", "new connections and pages of one IP address in the long run; over it: 429",
      1...1_000_000, "a second", \.limits.connectsPerAddressPerSecond),
    .number(
      "connects", "handshakes of all clients in the long run; over it: 429; 0: as many as come", 0...1_000_000,
      "a second", \.limits.connectsPerSecond),
    .number(
      "handshakes", "connections without a complete request; over it the oldest goes; 0: a quarter of connections",
      0...1_000_000, "connections", \.limits.handshakes),
    .number(
      "connections", "connections of this node; over it: 503; 0: as many as descriptors allow", 0...10_000_000,
      "connections", \.limits.connections),
  ]

  /// What stands between commas, without blanks around it.
  static func words(_ text: Substring) -> [String] {
    text.split(separator: ",").map { word in
      let word = word.drop { $0 == " " }
      return String(word.prefix(word.utf8.count - word.reversed().prefix { $0 == " " }.count))
    }
  }
}

extension ServerConfiguration.Origins {
  fileprivate init(_ text: Substring) {
    let listed = Setting.words(text)
    self = listed.isEmpty ? .sameOrigin : listed == ["*"] ? .any : .listed(listed)
  }

  fileprivate var text: String {
    switch self {
    case .sameOrigin: ""
    case .listed(let origins): origins.joined(separator: ",")
    case .any: "*"
    }
  }
}
