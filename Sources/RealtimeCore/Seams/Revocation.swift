/// Ends tokens before their time: one by its id, or all of a user that were issued up to a moment.
///
/// Revocations only ever grow: of two with one ``key`` both bounds become the later ones. So it does not matter in
/// which order, or how often, nodes hear of them.
public struct Revocation: Hashable, Sendable {
  /// The longest token id or user id, in UTF-8 bytes.
  public static let nameByteLimit = 128
  /// Seconds for which one is kept beyond its end, because clocks differ.
  public static let slack: Int64 = 300
  /// Moments that may be named, in seconds: 1970 to 9999.
  public static let moments: ClosedRange<Int64> = 0...253_402_300_799

  /// `t` and the token's id, or `u` and the user.
  public let key: [UInt8]
  /// When the last token that it is about has ended, in seconds since 1970: then it is forgotten.
  public private(set) var until: Int64
  /// Tokens issued up to this second are revoked; 0 for one token's, whose time of issue does not matter.
  public private(set) var issuedUntil: Int64

  /// The token with this id (`jti`); `nil` when that is empty or over 128 bytes.
  /// - Parameter until: the token's `exp`, or the latest it can be. Cut to ``moments``.
  public static func token(_ id: String, until: Int64) -> Revocation? {
    Revocation(key: [UInt8(ascii: "t")] + Array(id.utf8), until: until, issuedUntil: 0)
  }

  /// All tokens of a user that were issued up to the second `issuedUntil`, and those that do not tell when.
  /// - Parameter until: the latest `exp` among them. Cut to ``moments``.
  public static func user(_ user: String, issuedUntil: Int64, until: Int64) -> Revocation? {
    Revocation(key: [UInt8(ascii: "u")] + Array(user.utf8), until: until, issuedUntil: issuedUntil)
  }

  /// As a relay keeps it; `nil` when `key` is no key.
  public init?(key: [UInt8], until: Int64, issuedUntil: Int64) {
    guard (2...Self.nameByteLimit + 1).contains(key.count),
      key[0] == UInt8(ascii: "t") || key[0] == UInt8(ascii: "u")
    else { return nil }
    self.key = key
    self.until = Self.moments.cut(until)
    self.issuedUntil = key[0] == UInt8(ascii: "u") ? Self.moments.cut(issuedUntil) : 0
  }

  /// The user it is about; `nil` for a single token's.
  public var user: String? {
    key[0] == UInt8(ascii: "u") ? String(decoding: key.dropFirst(), as: UTF8.self) : nil
  }

  /// Takes in what `other`, of the same key, says; false when that is nothing new.
  @discardableResult
  public mutating func merge(_ other: Revocation) -> Bool {
    let before = self
    until = max(until, other.until)
    issuedUntil = max(issuedUntil, other.issuedUntil)
    return self != before
  }
}

/// A part of all revocations, in the order in which the relay learnt them.
public struct RevocationSlice: Sendable, Equatable {
  public var entries: [Revocation]
  /// Where the next slice begins.
  public var position: Int
  /// How many times the relay learnt something so far. Below what was known: it lost its memory.
  public var top: Int
  /// Nothing follows.
  public var isLast: Bool
  /// Revocations that ended before this second may be forgotten: by the relay's clock and by the asker's.
  public var horizon: Int64

  public init(entries: [Revocation], position: Int, top: Int, isLast: Bool, horizon: Int64) {
    (self.entries, self.position, self.top) = (entries, position, top)
    (self.isLast, self.horizon) = (isLast, horizon)
  }
}

extension ClosedRange<Int64> {
  fileprivate func cut(_ number: Int64) -> Int64 { Swift.min(Swift.max(number, lowerBound), upperBound) }
}
