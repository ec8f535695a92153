/// Who is behind a connection, as the token says.
public struct Identity: Equatable, Sendable {
  /// The longest user id, in UTF-8 bytes.
  public static let userByteLimit = 128

  /// The user id: 1 to 128 bytes.
  public let user: String
  /// What others see; never empty.
  public let name: String
  /// Whether the token's role is `admin`.
  public let isAdmin: Bool

  /// An empty `name` becomes the user id. `nil` when `user` is empty or over 128 bytes.
  public init?(user: String, name: String = "", isAdmin: Bool = false) {
    guard 1...Self.userByteLimit ~= user.utf8.count else { return nil }
    self.user = user
    self.name = name.isEmpty ? user : name
    self.isAdmin = isAdmin
  }
}
