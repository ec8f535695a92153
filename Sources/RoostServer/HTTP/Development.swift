import HTTPCore
import Tokens

// Tokens for everybody, so that a chat can be tried out without a backend that gives them. Only a node that nobody but
// this machine reaches may do it.

extension ServerConfiguration {
  /// What speaks against giving tokens away.
  var developmentProblems: [String] {
    guard isDevelopment else { return [] }
    var problems: [String] = []
    let places = [host] + (adminPort == nil ? [] : [adminHost])
    if !places.allSatisfy({ ["127.0.0.1", "::1"].contains($0) }) {
      problems.append("development: gives tokens to everybody, so host (and admin-host) must be 127.0.0.1 or ::1")
    }
    if developmentMinter == nil { problems.append("development: there is no secret to sign tokens with") }
    return problems
  }

  /// With the first secret; nil without one, and for nodes that are not for trying out.
  var developmentMinter: TokenMinter? {
    guard isDevelopment, let source = keys.first(where: { $0.kind == .secret }),
      let key = try? SigningKey(secret: source.bytes, algorithm: source.place.algorithm ?? .hs256)
    else { return nil }
    return try? TokenMinter(key: key, keyID: source.place.id, rules: tokenRules)
  }
}

extension Response {
  /// Bytes of a name that somebody chooses; it is his user id.
  private static let nameLimit = 64
  private static let tokenSeconds: Int64 = 43_200

  /// `GET /development`: whether the next one has something to give.
  static func development(_ context: NodeContext) -> Response {
    .json(#"{"development":\#(context.configuration.isDevelopment)}"#)
  }

  /// `GET /development/token?name=…`, with `role=admin` for an admin's: good for twelve hours.
  ///
  /// - Parameter now: seconds since 1970.
  static func developmentToken(
    _ context: NodeContext, _ head: RequestHead, _ bytes: RawSpan, now: Int64
  ) -> Response {
    guard let minter = context.configuration.developmentMinter else {
      return .error(.notFound, "not found", keepAlive: true)
    }
    // A page from elsewhere whose name was made to mean this machine would be of our origin, but for its name.
    guard isThisMachine(head, bytes) else { return .error(.forbidden, "only on this machine", keepAlive: true) }
    guard let given = try? head.queryValue("name", in: bytes), let role = try? head.queryValue("role", in: bytes) ?? [],
      (1...nameLimit).contains(given.count), let name = String(validating: given, as: UTF8.self),
      role.isEmpty || role.elementsEqual("admin".utf8)
    else {
      return .error(.badRequest, "name must have 1 to \(nameLimit) bytes, and role can only be admin", keepAlive: true)
    }
    let claims = Claims(
      userID: name, name: name, role: role.isEmpty ? nil : "admin", expiresAt: now + tokenSeconds, issuedAt: now)
    return .json(#"{"token":"\#(minter.mint(claims))"}"#)
  }

  private static func isThisMachine(_ head: RequestHead, _ bytes: RawSpan) -> Bool {
    let host = head.fields.value(of: "host", in: bytes).map { head.text($0, in: bytes) } ?? ""
    return ["localhost", "127.0.0.1", "[::1]"].contains { host == $0 || host.hasPrefix($0 + ":") }
  }
}
