/// Who a connection speaks for, as its token says.
public struct Identity: Equatable, Sendable {
  /// 1 to 128 bytes.
  public let id: String
  /// What others are shown; the id when the token names nobody.
  public let name: String
  public let isAdmin: Bool

  public init(id: String, name: String, isAdmin: Bool) {
    (self.id, self.name, self.isAdmin) = (id, name.isEmpty ? id : name, isAdmin)
  }
}
