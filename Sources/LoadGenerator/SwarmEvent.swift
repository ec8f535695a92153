/// Something that happened to one client of a ``Swarm``.
public struct SwarmEvent: Sendable {
  public enum Kind: Sendable {
    case opened
    case message([UInt8])
    case ended(Ending)
  }

  /// As ``Swarm/open(_:)`` named it.
  public let client: Int
  public let kind: Kind
  /// Milliseconds of the monotonic clock.
  public let time: Int64
}
