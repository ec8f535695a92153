import HTTPCore

/// What a node answers to a method and a path besides WebSockets. Another answer is another line in ``all``.
struct Route: Sendable {
  enum Answer: Sendable {
    /// At once, from what the shard knows.
    case page(Page)
    /// A file for browsers.
    case asset(Asset)
    /// Whether the node gives tokens to everybody, and such a token.
    case development, developmentToken
    /// The cluster's numbers, from the hub.
    case online
    /// Through the API, for holders of a key and admins.
    case call(APIOperation)
  }

  /// Where it is served when administration has a port of its own. Without one, everything is on the main port.
  enum Place: Sendable { case mainPort, administration, both }

  /// What was found for a request.
  enum Found {
    /// With the names in the path.
    case route(Route, [String])
    /// The path is there for other methods.
    case otherMethod(allow: String)
    case badName
    case nothing

    /// Balancers must get their answer whatever else is refused, and calls have limits of their own.
    var isUnlimited: Bool {
      switch self {
      case .route(let route, _):
        switch route.answer {
        case .page(let page): page.isForMachines
        case .asset, .development, .developmentToken, .online: false
        case .call: true
        }
      case .otherMethod, .badName, .nothing: false
      }
    }
  }

  let method: Method
  let path: PathPattern
  let answer: Answer
  let place: Place

  static let all: [Route] =
    pages + APIOperation.all.map { Route($0.method, $0.path, .call($0), at: .administration) }
    + Asset.all.map { Route(.get, $0.path, .asset($0), at: $0.place) }

  private static let pages: [Route] = [
    Route(.get, "/ws/online", .online, at: .both),
    Route(.get, "/ws/stats", .page(.stats)),
    Route(.get, "/healthz", .page(.health), at: .both),
    Route(.get, "/readyz", .page(.readiness), at: .both),
    Route(.get, "/metrics", .page(.metrics), at: .administration),
    Route(.get, "/development", .development, at: .both),
    Route(.get, "/development/token", .developmentToken, at: .both),
    Route(.get, "/api/openapi.json", .page(.openAPI), at: .administration),
  ]

  private init(_ method: Method, _ path: String, _ answer: Answer, at place: Place = .mainPort) {
    (self.method, self.path, self.answer, self.place) = (method, PathPattern(path), answer, place)
  }

  /// The route for `method` and `path` among those that `isServed` lets through.
  static func find(_ method: Method, _ path: [UInt8], isServed: (Place) -> Bool) -> Found {
    var allowed: [String] = []
    for route in all where isServed(route.place) {
      switch route.path.match(path) {
      case .another: continue
      case .badName: return .badName
      case .path(let names):
        if route.method == method || (route.method == .get && method == .head) { return .route(route, names) }
        allowed.append(route.method == .get ? "GET, HEAD" : route.method == .post ? "POST" : "DELETE")
      }
    }
    return allowed.isEmpty ? .nothing : .otherMethod(allow: allowed.joined(separator: ", "))
  }
}
