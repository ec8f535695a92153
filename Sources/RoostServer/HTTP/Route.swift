import HTTPCore

/// What a node answers to a method and a path besides WebSockets. Another answer is another line in ``all``.
struct Route: Sendable {
  enum Answer: Equatable, Sendable {
    /// At once, from what the shard knows.
    case page(Page)
    /// The cluster's numbers, from the hub.
    case online
    /// Through the API, for holders of a key and admins.
    case call(APICall.Kind)
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
        case .online: false
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

  static let all: [Route] = [
    Route(.get, "/", .page(.chat)),
    Route(.get, "/ws/online", .online),
    Route(.get, "/ws/stats", .page(.stats)),
    Route(.get, "/healthz", .page(.health), at: .both),
    Route(.get, "/readyz", .page(.readiness), at: .both),
    Route(.get, "/metrics", .page(.metrics), at: .administration),
    Route(.post, "/api/tokens/revoke", .call(.revoke), at: .administration),
    Route(.post, "/api/users/{id}/disconnect", .call(.disconnectUser), at: .administration),
    Route(.post, "/api/nodes/{id}/drain", .call(.drainNode), at: .administration),
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
