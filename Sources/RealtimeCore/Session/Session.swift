/// What one connection's client may do, judged before the hub hears of it. Rules that need other connections
/// (message rate, who is where) are the hub's.
public struct Session: Sendable {
  /// Shared by all connections of a node.
  public struct Rules: Equatable, Sendable {
    public var roomsPerConnection: Int
    /// Whether `chat` is for everybody, not only for admins.
    public var everybodyMayChat: Bool
    /// Joining, leaving and asking. A client that comes back may join all of its rooms at once.
    let control: Rate

    public init(roomsPerConnection: Int, everybodyMayChat: Bool) {
      (self.roomsPerConnection, self.everybodyMayChat) = (roomsPerConnection, everybodyMayChat)
      control = Rate(burst: roomsPerConnection + 20, perSecond: 5)
    }

    static let typing = Rate(burst: 10, perSecond: 2)
    /// WebSocket pings and pongs.
    static let frames = Rate(burst: 50, perSecond: 10)
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
  private var control = TokenBucket()
  private var typing = TokenBucket()
  private var frames = TokenBucket()
  private var offences = OffenceCounter()

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
      return typing.take(at: now * 1_000_000, rate: Rules.typing) == .allowed ? .proceed : .ignore
    case .joinRoom(let room, _, _):
      guard Self.allows(mayJoin, room) else { return .refuse(.forbidden) }
      guard isMember || roomCount < rules.roomsPerConnection else { return .refuse(.roomLimit) }
      return controlled(rules, now)
    case .leaveRoom, .history:
      return isMember ? controlled(rules, now) : .refuse(.notInRoom)
    case .onlineUsers(let room, _):
      return isMember || Self.allows(mayJoin, room) ? controlled(rules, now) : .refuse(.forbidden)
    case .chat:
      return isAdmin || rules.everybodyMayChat ? .proceed : .refuse(.forbidden)
    case .ping:
      return controlled(rules, now)
    case .private:
      return .proceed
    }
  }

  /// A WebSocket ping or pong came at `now`, in milliseconds. False: there are too many of them.
  public mutating func mayControl(now: Int64) -> Bool {
    frames.take(at: now * 1_000_000, rate: Rules.frames) == .allowed
  }

  /// A message was no JSON. True: the one too many within a minute.
  public mutating func offends(second: Int32) -> Bool { offences.record(now: second) }

  private mutating func controlled(_ rules: Rules, _ now: Int64) -> Verdict {
    switch control.take(at: now * 1_000_000, rate: rules.control) {
    case .allowed: .proceed
    case .refused(let wait): .refuse(.rateLimited(retryAfterMilliseconds: wait))
    }
  }

  private static func allows(_ patterns: [String]?, _ room: RoomName) -> Bool {
    guard let patterns else { return true }
    return patterns.contains { RoomPattern.matches($0, room) }
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
