extension Setting {
  /// Where metrics and the API are.
  static let administration: [Setting] = [
    .text(
      "admin-host", "address of the port for administration", form: "an IP address", \.adminHost),
    Setting(
      "admin-port", "port for /metrics and /api, which are then not on the main one; 0: any free one; empty: none",
      form: "0...65535"
    ) {
      $0.adminPort.map { "\($0)" } ?? ""
    } write: { text, configuration in
      guard !text.isEmpty else {
        configuration.adminPort = nil
        return true
      }
      guard let port = UInt16(text) else { return false }
      configuration.adminPort = port
      return true
    },
    .number(
      "api-messages-per-second", "messages backends send through this node; over it: 429; 0: any number",
      0...1_000_000, "a second", \.limits.apiMessagesPerSecond),
    .number(
      "api-questions-per-second", "questions backends ask this node; over it: 429; 0: any number", 0...1_000_000,
      "a second", \.limits.apiQuestionsPerSecond),
  ]
}
