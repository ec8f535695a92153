/// Where a Redis is and how to get in: `redis://[[user]:password@]host[:port][/database]`, `rediss://…` for the same
/// through TLS, or `unix://[[user]:password@]/path[?db=database]`. User and password are percent-decoded.
public struct RedisURL: Sendable, Equatable, CustomStringConvertible {
  public enum Place: Sendable, Equatable {
    case host(String, port: UInt16)
    case unixSocket(path: String)
  }

  public var place: Place
  /// Empty: the default user.
  public var user: String
  /// Empty: no AUTH.
  public var password: String
  public var database: Int
  /// Through TLS.
  public var isSecure = false

  public init(place: Place, user: String = "", password: String = "", database: Int = 0, isSecure: Bool = false) {
    (self.place, self.user, self.password, self.database) = (place, user, password, database)
    self.isSecure = isSecure
  }

  /// - Parameter password: one that is kept apart from the URL, as it is; empty: none.
  public init(_ text: String, password: String = "") throws(RedisConfigurationError) {
    let isSecure = text.hasPrefix("rediss://")
    if let rest = Self.rest(of: text, after: isSecure ? "rediss://" : "redis://") {
      let (credentials, address) = Self.split(rest)
      let (name, database) = Self.cut(address, at: "/")
      try self.init(place: Self.host(name), credentials: credentials, password, database: database)
      self.isSecure = isSecure
    } else if let rest = Self.rest(of: text, after: "unix://") {
      let (credentials, address) = Self.split(rest)
      let (path, query) = Self.cut(address, at: "?")
      guard path.hasPrefix("/"), path.utf8.count <= 107 else {
        throw RedisConfigurationError("unix:// needs an absolute path of at most 107 bytes")
      }
      guard query.isEmpty || query.hasPrefix("db=") else {
        throw RedisConfigurationError("unix:// knows one option, ?db=<number>")
      }
      try self.init(
        place: .unixSocket(path: String(path)), credentials: credentials, password, database: query.dropFirst(3))
    } else {
      throw RedisConfigurationError("a Redis URL begins with redis://, rediss:// or unix://")
    }
  }

  private init(
    place: Place, credentials: Substring, _ separate: String, database: Substring
  ) throws(RedisConfigurationError) {
    let (user, password) = credentials.contains(":") ? Self.cut(credentials, at: ":") : ("", credentials)
    guard let user = Self.decoded(user), let own = Self.decoded(password) else {
      throw RedisConfigurationError("the user or password of the Redis URL is not properly percent-encoded")
    }
    guard own.isEmpty || separate.isEmpty else {
      throw RedisConfigurationError("there are two Redis passwords, one in the URL and one of its own")
    }
    let secret = own.isEmpty ? separate : own
    guard user.isEmpty || !secret.isEmpty else {
      throw RedisConfigurationError("the Redis URL names a user without a password")
    }
    guard let number = database.isEmpty ? 0 : Int(database), (0...65_535).contains(number) else {
      throw RedisConfigurationError("the database of the Redis URL is not a number")
    }
    self.init(place: place, user: user, password: secret, database: number)
  }

  /// For logs: without user and password.
  public var description: String {
    switch place {
    case .host(let host, let port):
      "redis\(isSecure ? "s" : "")://\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
    case .unixSocket(let path): "unix://\(path)?db=\(database)"
    }
  }

  private static func host(_ text: Substring) throws(RedisConfigurationError) -> Place {
    var (name, port) = (text, Substring("6379"))
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else {
        throw RedisConfigurationError("the Redis URL's IPv6 address has no closing bracket")
      }
      name = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      if rest.hasPrefix(":") { port = rest.dropFirst() }
    } else if let colon = text.lastIndex(of: ":") {
      (name, port) = (text[..<colon], text[text.index(after: colon)...])
    }
    guard let number = UInt16(port), number > 0 else {
      throw RedisConfigurationError("the port of the Redis URL is not a number from 1 to 65535")
    }
    guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw RedisConfigurationError("the Redis URL names no host")
    }
    return .host(String(name), port: number)
  }

  private static func rest(of text: String, after scheme: String) -> Substring? {
    text.hasPrefix(scheme) ? text.dropFirst(scheme.count) : nil
  }

  /// Credentials end at the last `@` before the path; a unix path may hold one itself.
  private static func split(_ text: Substring) -> (Substring, Substring) {
    let authority = text.prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@") else { return ("", text) }
    return (text[..<at], text[text.index(after: at)...])
  }

  private static func cut(_ text: Substring, at separator: Character) -> (Substring, Substring) {
    guard let index = text.firstIndex(of: separator) else { return (text, "") }
    return (text[..<index], text[text.index(after: index)...])
  }

  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
