/// What one connection's client may do, judged before the hub hears of it. Rules that need other connections
/// (message rate, who is where) are the hub's.
public struct Session: Sendable {
  /// Shared by all connections of a node.
  public struct Rules: Equatable, Sendable {
    public var roomsPerConnection: Int
    /// Whether `chat` is for everybody, not only for admins.
    public var everybodyMayChat: Bool
    public var conduct: Conduct.Rules

    /// - Parameter conduct: `nil` for the standard rates.
    public init(roomsPerConnection: Int, everybodyMayChat: Bool, conduct: Conduct.Rules? = nil) {
      (self.roomsPerConnection, self.everybodyMayChat) = (roomsPerConnection, everybodyMayChat)
      self.conduct = conduct ?? Conduct.Rules(rooms: roomsPerConnection)
    }
  }

  public enum Verdict: Equatable, Sendable {
    case proceed
    /// Dropped without a word: typing that comes too often.
    case ignore
    case refuse(ClientMistake)
  }

  private let isAdmin: Bool
  /// Patterns of the token, `nil` for any room.
  private let mayJoin: [String]?
  private let maySend: [String]?
  private var conduct = Conduct()

  /// - Parameters:
  ///   - mayJoin: patterns of rooms the client may join; `*` stands for any run of characters, `nil` for any room.
  ///   - maySend: patterns of rooms it may send to.
  public init(isAdmin: Bool = false, mayJoin: [String]? = nil, maySend: [String]? = nil) {
    (self.isAdmin, self.mayJoin, self.maySend) = (isAdmin, mayJoin, maySend)
  }

  /// Judges one message.
  ///
  /// - Parameters:
  ///   - isMember: whether the client joined the message's room; a join on its way counts.
  ///   - roomCount: how many rooms it joined.
  ///   - now: milliseconds of any steady clock.
  public mutating func judge(
    _ message: ClientMessage, isMember: Bool, roomCount: Int, rules: Rules, now: Int64
  ) -> Verdict {
    switch message {
    case .sendMessage(let room, _, _):
      guard isMember else { return .refuse(.notInRoom) }
      return Self.allows(maySend, room) ? .proceed : .refuse(.forbidden)
    case .typing:
      guard isMember else { return .refuse(.notInRoom) }
      return conduct.types(rules: rules.conduct, now: now) == nil ? .proceed : .ignore
    case .joinRoom(let room, let wish, _):
      guard Self.allows(mayJoin, room) else { return .refuse(.forbidden) }
      guard !isMember else {
        let wait =
          wish == JoinWish()
          ? conduct.controls(rules: rules.conduct, now: now)
          : conduct.asks(isKnown: true, rules: rules.conduct, now: now)
        return Verdict(wait: wait)
      }
      guard roomCount < rules.roomsPerConnection else { return .refuse(.roomLimit) }
      return Verdict(wait: conduct.joins(room, rules: rules.conduct, now: now))
    case .leaveRoom(let room, _):
      return isMember ? Verdict(wait: conduct.leaves(room, rules: rules.conduct, now: now)) : .refuse(.notInRoom)
    case .history:
      guard isMember else { return .refuse(.notInRoom) }
      return Verdict(wait: conduct.asks(isKnown: true, rules: rules.conduct, now: now))
    case .onlineUsers(let room, _):
      guard isMember || Self.allows(mayJoin, room) else { return .refuse(.forbidden) }
      return Verdict(wait: conduct.asks(isKnown: isMember, rules: rules.conduct, now: now))
    case .chat:
      return isAdmin || rules.everybodyMayChat ? .proceed : .refuse(.forbidden)
    case .ping:
      return Verdict(wait: conduct.controls(rules: rules.conduct, now: now))
    case .private:
      return .proceed
    }
  }

  /// A message is refused, by ``judge(_:isMember:roomCount:rules:now:)`` or because it could not be read. What its
  /// client is told; `nil`: it was told too often and goes on regardless, so close with 4029.
  public mutating func isRefused(_ mistake: ClientMistake, rules: Rules, now: Int64) -> ClientMistake? {
    conduct.isRefused(mistake, rules: rules.conduct, now: now)
  }

  /// A WebSocket ping or pong came at `now`, in milliseconds. False: there are too many of them.
  public mutating func mayControl(rules: Rules, now: Int64) -> Bool {
    conduct.mayControl(rules: rules.conduct, now: now)
  }

  /// A message was no JSON. True: the one too many within a minute.
  public mutating func offends(second: Int32) -> Bool { conduct.offends(second: second) }

  private static func allows(_ patterns: [String]?, _ room: RoomName) -> Bool {
    guard let patterns else { return true }
    return patterns.contains { RoomPattern.matches($0, room) }
  }
}

extension Session.Verdict {
  /// It may, or may in so many milliseconds.
  fileprivate init(wait: Int?) {
    self = wait.map { .refuse(.rateLimited(retryAfterMilliseconds: $0)) } ?? .proceed
  }
}

extension ClientMessage {
  /// The room it is about.
  public var room: RoomName? {
    switch self {
    case .joinRoom(let room, _, _), .leaveRoom(let room, _), .onlineUsers(let room, _): room
    case .history(let room, _, _, _): room
    case .sendMessage(let room, _, _), .typing(let room, _, _): room
    case .private, .chat, .ping: nil
    }
  }
}
