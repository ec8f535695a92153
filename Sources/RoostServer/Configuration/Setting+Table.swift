import RealtimeCore

extension Setting {
  /// Every setting there is, in the order of the help. Secrets are not among them: see ``SecretSetting``.
  public static let all = SettingGroup.all.flatMap(\.settings)

  static let place: [Setting] = [
    .text("host", "address to listen on", form: "an IP address", \.host),
    Setting("port", "port to listen on; 0: any free one", form: "0...65535") {
      "\($0.port)"
    } write: { text, configuration in
      guard let port = UInt16(text) else { return false }
      configuration.port = port
      return true
    },
    .text(
      "node-id", "name in the cluster, unique; its last ten characters count, random letters follow; empty: node",
      \.nodeID),
    .number("shards", "threads that serve clients; 0: one per core", 0...128, "threads", \.shards),
    .text(
      "redis-url", "where the nodes meet, or several between commas; empty: no Redis, one node alone",
      form: "redis[s]://[user:@]host[:port][/database] or unix:///path", \.redisURL),
    .text("redis-prefix", "begins every key and channel in Redis", \.redisPrefix),
    Setting(
      "relay-topology", "what nodes hear: all that is said, or only rooms with members on them; one for all nodes",
      form: "broadcast | rooms"
    ) {
      $0.relayTopology.rawValue
    } write: { text, configuration in
      guard let topology = RelayTopology(rawValue: String(text)) else { return false }
      configuration.relayTopology = topology
      return true
    },
    Setting(
      "degraded", "messages while Redis is away: refused, or delivered on this node only (marked, not stored)",
      form: "refuse | local"
    ) {
      $0.deliversWhenDegraded ? "local" : "refuse"
    } write: { text, configuration in
      configuration.deliversWhenDegraded = text == "local"
      return text == "local" || text == "refuse"
    },
  ]

  static let protocolRules: [Setting] = [
    Setting("chat-allowed", "who may send to everybody; others: FORBIDDEN", form: "admins | all") {
      $0.everybodyMayChat ? "all" : "admins"
    } write: { text, configuration in
      configuration.everybodyMayChat = text == "all"
      return text == "all" || text == "admins"
    },
    .whether("echo", "serve an echo endpoint, which asks for no token: for trying out", \.echo.isEnabled),
    .text("echo-path", "where the echo endpoint is", form: "a path", \.echo.path),
    .size(
      "echo-message-size", "largest message to the echo endpoint; over it: close 1009", 1...1 << 30,
      \.echo.messageBytes),
    .number(
      "echo-fragments", "frames of one message to the echo endpoint; over it: close 1008", 1...1 << 24, "frames",
      \.echo.fragments),
  ]

  static let limits: [Setting] = [
    .size(
      "message-size", "largest message of a client; over it: close 1009", 1...RelayFrame.messageLimit,
      \.limits.messageBytes),
    .number("fragments", "frames of one message; over it: close 1008", 1...65_534, "frames", \.limits.fragments),
    .number(
      "queue-messages", "messages waiting for one client; over it: see slow-consumer", 1...1 << 20, "messages",
      \.limits.queueMessages),
    .size(
      "queue-size", "bytes waiting for one client; over it: see slow-consumer", 4_096...1 << 30, \.limits.queueBytes),
    Setting(
      "slow-consumer", "who does not read fast enough: close 4008, or drop a room's messages and send resync",
      form: "disconnect | drop"
    ) {
      $0.limits.slowConsumer.rawValue
    } write: { text, configuration in
      guard let policy = ServerConfiguration.SlowConsumer(rawValue: String(text)) else { return false }
      configuration.limits.slowConsumer = policy
      return true
    },
    .number(
      "rate-burst", "messages a user may send at once; over it: RATE_LIMITED, then close 4029; 0: no rate limit",
      0...1_000_000, "messages", \.limits.rateBurst),
    .decimal(
      "rate-per-second", "messages a user may send each second in the long run", 0.001...1_000_000, "a second",
      \.limits.ratePerSecond),
    .number(
      "rooms-per-connection", "rooms of one connection; over it: ROOM_LIMIT", 1...100_000, "rooms",
      \.limits.roomsPerConnection),
    .number(
      "history-messages", "messages kept of one room; the oldest go", 0...100_000, "messages",
      \.limits.historyMessages),
    .number("history-time", "how long messages are kept", 1...2_592_000, "seconds", \.limits.historySeconds),
    .size(
      "history-memory", "memory of this node for all rooms' messages; those of rooms in least use go",
      0...1 << 40, \.limits.historyBytes),
  ]

  static let times: [Setting] = [
    .number(
      "fragment-time", "for all frames of one message; over it: close 1008", 1...3_600, "seconds",
      \.limits.fragmentSeconds),
    .number("handshake-time", "for a complete handshake request; over it: 408", 1...60, "seconds", \.times.handshake),
    .number("write-wait", "until a client that reads nothing is dropped", 1...3_600, "seconds", \.times.write),
    .number("pong-wait", "of silence until a client is dropped", 2...3_600, "seconds", \.times.pong),
    .number("ping-period", "of silence until a client is pinged", 1...3_599, "seconds", \.times.ping),
    .number("close-time", "for the closing handshake", 1...60, "seconds", \.times.close),
    .decimal(
      "leave-grace", "between losing a user's last socket and telling the room", 0...60, "seconds",
      \.leaveGraceSeconds),
  ]

  static let logging: [Setting] = [
    Setting("log-format", "how log lines look", form: "text | json") {
      $0.logsJSON ? "json" : "text"
    } write: { text, configuration in
      configuration.logsJSON = text == "json"
      return text == "json" || text == "text"
    },
    .choice("log-level", "what is logged", of: ["debug", "info", "warning", "error"], \.logLevel),
  ]
}
