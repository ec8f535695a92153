import HTTPCore
import RealtimeCore

extension APIOperation {
  static let all: [APIOperation] = messages + questions + node + control

  private static let messages: [APIOperation] = [
    APIOperation(
      kind: .publish, method: .post, path: "/api/publish", summary: "A stored, numbered message for a room",
      body: .required(
        .object([
          .needed("room", .named("Room")), .needed("payload", .anything),
          .maybe("id", .text(1...ClientMessage.idLimit)), .maybe("sender", .named("Sender")),
        ])),
      answer: .object([
        .needed("room", .named("Room")), .needed("offset", .integer(1...RelayLimits.highestNumber)),
        .needed("epoch", .text()), .maybe("message_id", .text(1...40)), .maybe("dup", .flag),
      ])),
    APIOperation(
      kind: .broadcast, method: .post, path: "/api/broadcast", summary: "A chat, or a notification, for everybody",
      body: .required(.either([.named("Message"), .named("Notification")])), answer: .named("Reached")),
    APIOperation(
      kind: .sendToUser, method: .post, path: "/api/users/{id}/send", summary: "A private message for a user",
      body: .required(.named("Message")), answer: .named("Reached")),
    APIOperation(
      kind: .notifyUser, method: .post, path: "/api/users/{id}/notify", summary: "A notification for a user",
      body: .required(.named("Notification")), answer: .named("Reached")),
  ]

  private static let questions: [APIOperation] = [
    APIOperation(
      kind: .rooms, method: .get, path: "/api/rooms", summary: "Rooms with members, by name",
      parameters: [
        Parameter(name: "limit", schema: .integer(1...BackendWish.roomsLimit), meaning: "at most so many; 100"),
        Parameter(name: "after", schema: .named("Room"), meaning: "only what follows this name"),
      ],
      answer: .object([
        .needed(
          "rooms", .list(.object([.needed("room", .named("Room")), .needed("count", .named("Count"))]))),
        .maybe("next", .named("Room")), .maybe("partial", .flag),
      ])),
    APIOperation(
      kind: .room, method: .get, path: "/api/rooms/{room}", summary: "Who is in a room",
      answer: .object([
        .needed("room", .named("Room")), .needed("count", .named("Count")),
        .needed("members", .list(.named("User"))), .maybe("epoch", .text()), .maybe("offset", .named("Count")),
      ])),
    APIOperation(
      kind: .history, method: .get, path: "/api/rooms/{room}/history", summary: "A room's last messages",
      parameters: [
        Parameter(name: "limit", schema: .integer(1...JoinWish.historyLimit), meaning: "at most so many; 100"),
        Parameter(
          name: "before", schema: .integer(1...RelayLimits.highestNumber), meaning: "only what has a lower offset"),
      ],
      answer: .object([
        .needed("room", .named("Room")), .maybe("epoch", .text()),
        .needed("messages", .list(.named("StoredMessage"))),
      ])),
    APIOperation(
      kind: .user, method: .get, path: "/api/users/{id}", summary: "Where a user is online",
      answer: .object([
        .needed("user", .named("UserID")), .needed("online", .flag), .needed("connections", .named("Count")),
        .needed(
          "nodes", .list(.object([.needed("node", .text()), .needed("connections", .named("Count"))]))),
        .maybe("partial", .flag),
      ])),
    APIOperation(
      kind: .nodes, method: .get, path: "/api/nodes", summary: "The nodes of the cluster",
      answer: .object([.needed("nodes", .list(.named("Node"))), .maybe("partial", .flag)])),
  ]

  /// About the node that is asked.
  private static let node: [APIOperation] = [
    APIOperation(
      kind: .slow, method: .get, path: "/api/slow", summary: "This node's slowest clients",
      answer: .object([
        .needed("node", .text()), .needed("clients", .named("Count")), .needed("bytes", .named("Count")),
        .needed("messages", .named("Count")),
        .needed("replay_messages", .named("Count")), .needed("slowest", .list(.named("SlowClient"))),
      ])),
    APIOperation(
      kind: .debug, method: .get, path: "/api/debug", summary: "What this node is doing",
      answer: .object([
        .needed("relay", .word(["starting", "connected", "suspect", "degraded", "recovering"])),
        .maybe("trouble", .text()),
        .needed(
          "hub", counts(["connections", "users", "rooms", "relay_queue", "remembered_bytes", "revocations"])),
        .needed(
          "shards",
          .list(
            counts([
              "shard", "connections", "received", "sent", "sends", "slow_clients", "queued_messages", "queued_bytes",
              "replay_messages",
            ]))),
        .needed(
          "loops",
          .list(counts(["turns", "turn_us", "mean_turn_us", "p99_turn_us"], and: [.needed("loop", .text())]))),
      ])),
  ]

  private static func counts(_ names: [String], and others: [Schema.Member] = []) -> Schema {
    .object(others + names.map { .needed($0, .named("Count")) })
  }

  private static let control: [APIOperation] = [
    APIOperation(
      kind: .disconnectUser, method: .post, path: "/api/users/{id}/disconnect",
      summary: "Close all connections of a user",
      body: .optional(.object([.maybe("reason", .text(0...123))])),
      answer: .object([.needed("connections", .named("Count"))])),
    APIOperation(
      kind: .revoke, method: .post, path: "/api/tokens/revoke", summary: "End tokens before their time",
      body: .required(
        .either([
          .object([.needed("token_id", .named("UserID")), .maybe("until", .named("Moment"))]),
          .object([.needed("user_id", .named("UserID")), .maybe("until", .named("Moment"))]),
        ])),
      answer: .object([.needed("revoked", .flag)])),
    APIOperation(
      kind: .drainNode, method: .post, path: "/api/nodes/{id}/drain",
      summary: "Send a node's clients to others, and end it", body: .optional(.object([])), success: .accepted,
      answer: .object([.needed("node", .text()), .needed("draining", .flag)]), refusals: [.notFound, .conflict]),
  ]
}
