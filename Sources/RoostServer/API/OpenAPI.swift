import HTTPCore
import RealtimeCore

/// The description of the API at `/api/openapi.json`, which is `docs/openapi.json` too. It holds nothing secret and is
/// given to everybody who can reach the port.
enum OpenAPI {
  static let text = document.pretty

  static var response: Response { Response(.ok, contentType: .json, body: Array(text.utf8)) }

  private static var document: JSONTree {
    .object([
      ("openapi", .text("3.1.0")),
      (
        "info",
        .object([
          ("title", .text("Roost")), ("version", .text(Release.version)),
          ("description", .text("For backends and operators of a Roost cluster; see docs/API.md.")),
          (
            "license",
            .object([("name", .text("Apache 2.0")), ("identifier", .text("Apache-2.0"))])
          ),
        ])
      ),
      ("security", .list([.object([("key", .list([]))])])),
      ("paths", .object(paths)),
      (
        "components",
        .object([
          (
            "securitySchemes",
            .object([("key", .object([("type", .text("http")), ("scheme", .text("bearer"))]))])
          ),
          ("schemas", .object(shared.map { ($0.name, $0.schema.tree) })),
          ("responses", .object(refusals)),
        ])
      ),
    ])
  }

  /// By path, in the order of the table.
  private static var paths: [(String, JSONTree)] {
    var order: [String] = []
    for operation in APIOperation.all where !order.contains(operation.path) { order.append(operation.path) }
    return order.map { path in
      let operations = APIOperation.all.filter { $0.path == path }
      return (path, .object(operations.map { ($0.method == .get ? "get" : "post", $0.tree) }))
    }
  }

  /// Schemas that several calls use.
  static let shared: [(name: String, schema: Schema)] = [
    ("Error", .object([.needed("error", .text())])),
    ("Room", .text(1...RoomName.byteLimit, pattern: "^[A-Za-z0-9._:-]+$")),
    ("UserID", .text(1...Identity.userByteLimit)),
    ("Count", .integer(0...RelayLimits.highestNumber)),
    ("Moment", .integer(1...Int(Revocation.moments.upperBound))),
    ("User", .object([.needed("id", .named("UserID")), .needed("name", .text())])),
    (
      "Sender",
      .object([.needed("id", .named("UserID")), .maybe("name", .text(0...BackendWish.nameBytes))])
    ),
    ("Message", .object([.needed("payload", .anything), .maybe("sender", .named("Sender"))])),
    (
      "Notification",
      .object([
        .needed("title", .text(1...BackendWish.titleBytes)), .needed("body", .text(0...BackendWish.bodyBytes)),
      ])
    ),
    ("Reached", .object([.needed("recipients", .named("Count")), .maybe("partial", .flag)])),
    (
      "StoredMessage",
      .object([
        .needed("type", .word(["new_message"])), .needed("room", .named("Room")), .needed("payload", .anything),
        .maybe("sender", .named("User")),
        .needed("timestamp", .text()), .needed("id", .text()), .maybe("client_id", .text()),
        .needed("offset", .integer(1...RelayLimits.highestNumber)),
      ])
    ),
    (
      "SlowClient",
      .object([
        .needed("connection", .text()), .needed("address", .text()), .needed("bytes", .named("Count")),
        .needed("messages", .named("Count")), .needed("replay_messages", .named("Count")),
        .needed("muted_rooms", .named("Count")), .needed("stalled_ms", .named("Count")),
      ])
    ),
    (
      "Node",
      .object([
        .needed("node", .text()), .needed("state", .word(["ready", "draining", "silent"])),
        .maybe("address", .text()), .maybe("version", .text()), .maybe("connections", .named("Count")),
        .maybe("users", .named("Count")), .maybe("rooms", .named("Count")),
        .maybe("uptime_seconds", .named("Count")), .maybe("lease_age_ms", .named("Count")),
        .maybe("messages", .named("Count")),
      ])
    ),
  ]

  // MARK: Refusals

  private static var refusals: [(String, JSONTree)] {
    let statuses = Set(APIOperation.all.flatMap { $0.statuses.filter { $0.isRefusal } })
    return statuses.sorted { $0.rawValue < $1.rawValue }.map { status in
      var members: [(String, JSONTree)] = [("description", .text("\(status.reason)"))]
      let header: String? =
        switch status {
        case .unauthorized: "WWW-Authenticate"
        case .tooManyRequests, .serviceUnavailable: "Retry-After"
        default: nil
        }
      if let header {
        let text = JSONTree.object([("schema", .object([("type", .text("string"))]))])
        members.append(("headers", .object([(header, text)])))
      }
      members.append(("content", content(.named("Error"))))
      return ("Status\(status.rawValue)", .object(members))
    }
  }

  fileprivate static func content(_ schema: Schema) -> JSONTree {
    .object([("application/json", .object([("schema", schema.tree)]))])
  }
}

extension Status {
  fileprivate var isRefusal: Bool { rawValue >= 400 }
}

extension APIOperation {
  fileprivate var tree: JSONTree {
    var members: [(String, JSONTree)] = [("operationId", .text("\(kind)")), ("summary", .text(summary))]
    let given = pathParameters + queryParameters
    if !given.isEmpty { members.append(("parameters", .list(given))) }
    if let schema = body.schema {
      members.append(
        (
          "requestBody",
          .object([("required", .flag(body.isRequired)), ("content", OpenAPI.content(schema))])
        ))
    }
    members.append(("responses", .object(statuses.map { ("\($0.rawValue)", response($0)) })))
    return .object(members)
  }

  private func response(_ status: Status) -> JSONTree {
    guard !status.isRefusal else {
      return .object([("$ref", .text("#/components/responses/Status\(status.rawValue)"))])
    }
    return .object([("description", .text("Done")), ("content", OpenAPI.content(answer))])
  }

  private var pathParameters: [JSONTree] {
    path.split(separator: "/").filter { $0.hasPrefix("{") }.map { place in
      let name = String(place.dropFirst().dropLast())
      let schema = Schema.named(name == "room" ? "Room" : "UserID")
      return .object([
        ("name", .text(name)), ("in", .text("path")), ("required", .flag(true)), ("schema", schema.tree),
      ])
    }
  }

  private var queryParameters: [JSONTree] {
    parameters.map { parameter in
      .object([
        ("name", .text(parameter.name)), ("in", .text("query")), ("description", .text(parameter.meaning)),
        ("schema", parameter.schema.tree),
      ])
    }
  }
}
