/// What revocations ask about the token a connection came with.
public struct TokenStamp: Hashable, Sendable {
  /// The token's own id (`jti`) in UTF-8; empty when it has none.
  public let id: [UInt8]
  /// Since when it is good, in seconds since 1970. A token that does not tell counts as issued before everything.
  public let issuedAt: Int64

  public init(id: String? = nil, issuedAt: Int64? = nil) {
    self.id = Array((id ?? "").utf8)
    self.issuedAt = issuedAt ?? .min
  }
}
