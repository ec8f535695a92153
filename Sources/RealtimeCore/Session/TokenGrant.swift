/// What a good token grants its connection.
///
/// A class, because a new token's grant passes through enums whose other cases are small and many.
public final class TokenGrant: Sendable {
  public let identity: Identity
  public let stamp: TokenStamp
  /// Patterns of rooms, in which `*` stands for any run of characters; `nil` for any room.
  public let mayJoin: [String]?
  public let maySend: [String]?
  /// When it ends, in milliseconds since 1970; `.max` for never.
  public let end: Int64

  public init(identity: Identity, stamp: TokenStamp, mayJoin: [String]?, maySend: [String]?, end: Int64) {
    (self.identity, self.stamp, self.end) = (identity, stamp, end)
    (self.mayJoin, self.maySend) = (mayJoin, maySend)
  }
}
