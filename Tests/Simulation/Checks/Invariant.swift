/// What must hold, whatever happens.
public enum Invariant: String, CaseIterable, Sendable {
  /// On one connection a room's offsets follow on each other; a hole is announced by `resync` or `recovered: false`.
  case contiguous
  /// The same room, epoch and offset mean the same message, with the same bytes for everybody.
  case samePlace
  /// A message is stored once in one generation, and shown once on one connection.
  case once
  /// What one client sends on one connection is stored in its order.
  case senderOrder
  /// An ack tells a place where the message really is, and takes its turn in the room's order.
  case trueAck
  /// Who is no member gets nothing of the room.
  case membersOnly
  /// `recovered: true` is only said of a position that was real, and goes on right after it.
  case recovered
  /// A resync names a reason that is one, and nobody is told of a hole that is none.
  case needlessResync
  /// A user comes, goes, comes, goes …
  case alternation
  /// Nobody leaves who was there all the time.
  case steadyUsers
  /// Leases are taken only from nodes that did not renew them.
  case liveNodes
  /// When all is quiet, everybody has everything, and the numbers are exact.
  case settledMessages, settledRosters, settledOnline
  /// Everything asked is answered, and everybody is served again.
  case answered, service
  /// Queues keep their bounds.
  case bounded
  /// Who is turned away or closed as revoked is; in the end no revoked token is in use, and all nodes know what any of
  /// them has ever known.
  case revocations
  /// Nobody loses a connection because of Redis, and no node spins.
  case keptConnections, calm
}

/// An invariant that did not hold.
public struct Violation: Error, CustomStringConvertible, Sendable {
  public let invariant: Invariant
  public let words: String

  public var description: String { "\(invariant.rawValue): \(words)" }
}
