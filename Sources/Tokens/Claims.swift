/// What a good token says about its user.
public struct Claims: Equatable, Sendable {
  /// `sub`, else `user_id`: 1 to 128 bytes without control characters. Integers are written in decimal.
  public var userID: String
  /// `name`: what others see; the user id when the token gives none. At most 256 bytes, no control characters.
  public var name: String
  /// `role`: at most 64 bytes; `admin` may do more.
  public var role: String?
  /// `rooms`: where the user may go.
  public var rooms: RoomGrants
  /// `exp`, in seconds since 1970: the token is bad from this second on. Nil only where the rules allow it.
  public var expiresAt: Int64?
  /// `iat`, in seconds since 1970.
  public var issuedAt: Int64?
  /// `jti`: the token's own name, for revoking it. At most 128 bytes.
  public var tokenID: String?

  public init(
    userID: String, name: String? = nil, role: String? = nil, rooms: RoomGrants = RoomGrants(),
    expiresAt: Int64? = nil, issuedAt: Int64? = nil, tokenID: String? = nil
  ) {
    (self.userID, self.name, self.role, self.rooms) = (userID, name ?? userID, role, rooms)
    (self.expiresAt, self.issuedAt, self.tokenID) = (expiresAt, issuedAt, tokenID)
  }

  public static func == (one: Claims, other: Claims) -> Bool {
    // By bytes: two user ids that only look the same are two users.
    one.userID.utf8.elementsEqual(other.userID.utf8) && one.name.utf8.elementsEqual(other.name.utf8)
      && one.role == other.role && one.rooms == other.rooms && one.expiresAt == other.expiresAt
      && one.issuedAt == other.issuedAt && one.tokenID == other.tokenID
  }
}

/// Which rooms a token opens, as patterns over room names; `*` stands for any run of characters. Nil is any room.
public struct RoomGrants: Equatable, Sendable {
  public var join: [String]?
  public var send: [String]?

  public init(join: [String]? = nil, send: [String]? = nil) { (self.join, self.send) = (join, send) }
}

extension Claims {
  init(_ claims: JSONObject, _ times: TokenTimes) throws(TokenError) {
    guard let id = Self.userID(claims["sub"] ?? claims["user_id"]) else { throw .badClaims }
    let name = try Self.text("name", 0...256, in: claims) ?? ""
    self.init(
      userID: id, name: name.isEmpty ? id : name,
      role: try Self.text("role", 0...64, in: claims), rooms: try RoomGrants(claims),
      expiresAt: times.expires, issuedAt: times.issued, tokenID: try Self.text("jti", 1...128, in: claims))
  }

  private static func userID(_ value: JSONValue?) -> String? {
    switch value {
    case .string(let text) where isPlain(text, 1...128): text
    case .number(let digits) where digits.utf8.count <= 20 && isWhole(digits): digits
    default: nil
    }
  }

  private static func isWhole(_ number: String) -> Bool {
    number != "-0" && number.utf8.drop { $0 == UInt8(ascii: "-") }.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
  }

  private static func text(
    _ name: String, _ length: ClosedRange<Int>, in claims: JSONObject
  ) throws(TokenError) -> String? {
    guard let value = claims[name] else { return nil }
    guard let text = value.string, isPlain(text, length) else { throw .badClaims }
    return text
  }

  /// Control characters (C0, DEL, C1) would end up in logs, keys and other people's screens.
  private static func isPlain(_ text: String, _ length: ClosedRange<Int>) -> Bool {
    guard length.contains(text.utf8.count) else { return false }
    var previous: UInt8 = 0
    for byte in text.utf8 {
      // C1 is C2 80 to C2 9F in UTF-8.
      guard byte >= 0x20, byte != 0x7F, previous != 0xC2 || byte >= 0xA0 else { return false }
      previous = byte
    }
    return true
  }
}

extension RoomGrants {
  /// Anything but lists of patterns is refused: a grant that is misread must not become "any room".
  init(_ claims: JSONObject) throws(TokenError) {
    guard claims.has("rooms") else {
      self.init()
      return
    }
    guard case .object(let rooms) = claims["rooms"] else { throw .badClaims }
    self.init(join: try Self.patterns("join", in: rooms), send: try Self.patterns("send", in: rooms))
  }

  private static func patterns(_ name: String, in rooms: JSONObject) throws(TokenError) -> [String]? {
    guard rooms.has(name) else { return nil }
    guard case .array(let list) = rooms[name] else { throw .badClaims }
    var patterns: [String] = []
    guard list.count <= patternLimit else { throw .badClaims }
    for element in list {
      guard let pattern = element.string, isPattern(pattern) else { throw .badClaims }
      patterns.append(pattern)
    }
    return patterns
  }

  /// The most patterns of one list: each may have to be tried.
  public static let patternLimit = 100

  /// A room name (SPEC section 2) that may hold `*`.
  public static func isPattern(_ pattern: String) -> Bool {
    (1...128).contains(pattern.utf8.count)
      && pattern.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "*"): true
        default: false
        }
      }
  }
}
