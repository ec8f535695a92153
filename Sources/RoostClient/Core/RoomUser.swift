/// Somebody, as others see him.
public struct RoomUser: Sendable, Hashable {
  public var id: String
  /// What to show; the id when he has no name.
  public var name: String

  public init(id: String, name: String) { (self.id, self.name) = (id, name) }

  init?(_ json: JSONText) {
    guard let id = json["id"]?.string else { return nil }
    self.init(id: id, name: json["name"]?.string ?? id)
  }
}
