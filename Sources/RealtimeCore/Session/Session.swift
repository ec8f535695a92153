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
    /// New tokens: each costs a signature check.
    static let refreshes = Rate(burst: 5, nanosecondsPerToken: 10_000_000_000)
    /// WebSocket pings and pongs.
    static let frames = Rate(burst: 50, perSecond: 10)
  }

  public enum Verdict: Equatable, Sendable {
    case proceed
    /// Dropped without a word: typing that comes too often.
    case ignore
    case refuse(ClientMistake)
  }

  private var isAdmin: Bool
  /// Patterns of the token, `nil` for any room.
  private var joinPatterns: [String]?
  private var sendPatterns: [String]?
  private var control = TokenBucket()
  private var typing = TokenBucket()
  private var frames = TokenBucket()
  private var refreshes = TokenBucket()
  private var offences = OffenceCounter()

  /// - Parameters:
  ///   - mayJoin: patterns of rooms the client may join; `*` stands for any run of characters, `nil` for any room.
  ///   - maySend: patterns of rooms it may send to.
  public init(isAdmin: Bool = false, mayJoin: [String]? = nil, maySend: [String]? = nil) {
    self.isAdmin = isAdmin
    (joinPatterns, sendPatterns) = (mayJoin, maySend)
  }

  /// A new token holds from now on. What was taken from the buckets stays taken.
  public mutating func renew(isAdmin: Bool, mayJoin: [String]?, maySend: [String]?) {
    self.isAdmin = isAdmin
    (joinPatterns, sendPatterns) = (mayJoin, maySend)
  }

  /// Whether the token opens the room.
  public func mayJoin(_ room: RoomName) -> Bool { Self.allows(joinPatterns, room) }

  /// Whether the token allows to send to the room. Asked once per room and not per message: patterns take their time.
  public func maySend(to room: RoomName) -> Bool { Self.allows(sendPatterns, room) }

  /// Judges one message.
  ///
  /// - Parameters:
  ///   - isMember: whether the client joined the message's room; a join on its way counts.
  ///   - maySend: what ``maySend(to:)`` says about that room.
  ///   - roomCount: how many rooms it joined.
  ///   - now: milliseconds of any steady clock.
  public mutating func judge(
    _ message: ClientMessage, isMember: Bool, maySend: Bool, roomCount: Int, rules: Rules, now: Int64
  ) -> Verdict {
    switch message {
    case .sendMessage:
      guard isMember else { return .refuse(.notInRoom) }
      return maySend ? .proceed : .refuse(.forbidden)
    case .typing:
      guard isMember else { return .refuse(.notInRoom) }
      guard maySend else { return .refuse(.forbidden) }
      return typing.take(at: now * 1_000_000, rate: Rules.typing) == .allowed ? .proceed : .ignore
    case .joinRoom(let room, _, _):
      // Asking costs a token even where the answer is no: patterns take their time.
      if case .refuse(let mistake) = controlled(rules, now) { return .refuse(mistake) }
      guard mayJoin(room) else { return .refuse(.forbidden) }
      return isMember || roomCount < rules.roomsPerConnection ? .proceed : .refuse(.roomLimit)
    case .leaveRoom, .history:
      return isMember ? controlled(rules, now) : .refuse(.notInRoom)
    case .onlineUsers(let room, _):
      if case .refuse(let mistake) = controlled(rules, now) { return .refuse(mistake) }
      return isMember || mayJoin(room) ? .proceed : .refuse(.forbidden)
    case .refreshToken:
      return Self.taken(&refreshes, Rules.refreshes, now)
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
    Self.taken(&control, rules.control, now)
  }

  private static func taken(_ bucket: inout TokenBucket, _ rate: Rate, _ now: Int64) -> Verdict {
    switch bucket.take(at: now * 1_000_000, rate: rate) {
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
    case .private, .chat, .refreshToken, .ping: nil
    }
  }
}
