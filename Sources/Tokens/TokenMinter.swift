/// Makes tokens, for `roost token`, the bench and tests. What it makes, a ``TokenVerifier`` of the same key reads.
public struct TokenMinter: Sendable {
  private let key: SigningKey
  private let keyID: String?
  private let rules: TokenVerifier.Rules

  /// - Parameter rules: whose issuer and audience the tokens get: the first of each.
  public init(key: SigningKey, keyID: String? = nil, rules: TokenVerifier.Rules = .init()) throws(KeyError) {
    guard keyID.map({ KeyID.isValid($0) }) ?? true else { throw .badKeyID }
    (self.key, self.keyID, self.rules) = (key, keyID, rules)
  }

  /// With an HS256 secret.
  public init(
    secret: [UInt8], keyID: String? = nil, rules: TokenVerifier.Rules = .init()
  ) throws(KeyError) {
    try self.init(key: SigningKey(secret: secret), keyID: keyID, rules: rules)
  }

  /// The token that says `claims`.
  public func mint(_ claims: Claims) -> String {
    var header = JSONWriter()
    header.member("alg", key.algorithm.rawValue)
    header.member("typ", "JWT")
    header.member("kid", keyID)

    var payload = JSONWriter()
    payload.member("iss", rules.issuers.first)
    payload.member("aud", rules.audiences.first)
    payload.member("sub", claims.userID)
    payload.member("name", claims.name)
    payload.member("role", claims.role)
    payload.member("jti", claims.tokenID)
    payload.member("iat", claims.issuedAt)
    payload.member("exp", claims.expiresAt)
    payload.member("rooms", claims.rooms)
    return sign(header.object + "." + payload.object)
  }

  /// - Parameter input: header and payload, encoded, with their dot.
  private func sign(_ input: String) -> String {
    input + "." + Base64URL.encode(key.sign(Array(input.utf8)))
  }
}

/// Writes one flat object; absent members are left out.
private struct JSONWriter {
  private var members: [String] = []

  /// The object, ready to be a segment.
  var object: String { Base64URL.encode(Array("{\(members.joined(separator: ","))}".utf8)) }

  mutating func member(_ name: String, _ text: String?) {
    if let text { members.append("\"\(name)\":\(Self.quoted(text))") }
  }

  mutating func member(_ name: String, _ number: Int64?) {
    if let number { members.append("\"\(name)\":\(number)") }
  }

  mutating func member(_ name: String, _ rooms: RoomGrants) {
    guard rooms != RoomGrants() else { return }
    let lists = [("join", rooms.join), ("send", rooms.send)].compactMap { name, patterns in
      patterns.map { "\"\(name)\":[\($0.map(Self.quoted).joined(separator: ","))]" }
    }
    members.append("\"\(name)\":{\(lists.joined(separator: ","))}")
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
