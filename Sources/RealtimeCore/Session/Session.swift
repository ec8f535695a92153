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
    /// It was told too often and goes on regardless: close with 4029.
    case close
  }

  private var isAdmin: Bool
  /// Patterns of the token, `nil` for any room.
  private var joinPatterns: [String]?
  private var sendPatterns: [String]?
  private var conduct = Conduct()

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
    let verdict = consider(
      message, isMember: isMember, maySend: maySend, roomCount: roomCount, rules: rules, now: now)
    guard case .refuse(let mistake) = verdict else { return verdict }
    return refuse(mistake, rules: rules, now: now)
  }

  /// A message is refused because of `mistake`: what becomes of it. Being refused is not for free either.
  public mutating func refuse(_ mistake: ClientMistake, rules: Rules, now: Int64) -> Verdict {
    conduct.isRefused(mistake, rules: rules.conduct, now: now).map { .refuse($0) } ?? .close
  }

  private mutating func consider(
    _ message: ClientMessage, isMember: Bool, maySend: Bool, roomCount: Int, rules: Rules, now: Int64
  ) -> Verdict {
    switch message {
    case .sendMessage:
      guard isMember else { return .refuse(.notInRoom) }
      return maySend ? .proceed : .refuse(.forbidden)
    case .typing:
      guard isMember else { return .refuse(.notInRoom) }
      guard maySend else { return .refuse(.forbidden) }
      return conduct.types(rules: rules.conduct, now: now) == nil ? .proceed : .ignore
    case .joinRoom(let room, let wish, _):
      return join(room, wish, isMember: isMember, roomCount: roomCount, rules: rules, now: now)
    case .leaveRoom(let room, _):
      return isMember ? Verdict(wait: conduct.leaves(room, rules: rules.conduct, now: now)) : .refuse(.notInRoom)
    case .history:
      return isMember ? Verdict(wait: conduct.asks(rules: rules.conduct, now: now)) : .refuse(.notInRoom)
    case .onlineUsers(let room, _):
      // Patterns take their time: they come last.
      if let wait = conduct.asks(rules: rules.conduct, now: now) { return Verdict(wait: wait) }
      guard !isMember else { return .proceed }
      return mayJoin(room) ? Verdict(wait: conduct.opensRoom(rules: rules.conduct, now: now)) : .refuse(.forbidden)
    case .refreshToken:
      return Verdict(wait: conduct.refreshes(now: now))
    case .chat:
      return isAdmin || rules.everybodyMayChat ? .proceed : .refuse(.forbidden)
    case .ping:
      return Verdict(wait: conduct.controls(rules: rules.conduct, now: now))
    case .private:
      return .proceed
    }
  }

  /// A WebSocket ping or pong came at `now`, in milliseconds. False: there are too many of them.
  public mutating func mayControl(rules: Rules, now: Int64) -> Bool {
    conduct.mayControl(rules: rules.conduct, now: now)
  }

  /// A message was no JSON. True: the one too many within a minute.
  public mutating func offends(second: Int32) -> Bool { conduct.offends(second: second) }

  private mutating func join(
    _ room: RoomName, _ wish: JoinWish, isMember: Bool, roomCount: Int, rules: Rules, now: Int64
  ) -> Verdict {
    // Patterns take their time: nobody gets it who may ask for nothing.
    if let wait = conduct.waitToControl(rules: rules.conduct, now: now) { return Verdict(wait: wait) }
    guard mayJoin(room) else { return .refuse(.forbidden) }
    guard !isMember else {
      let asksForPast = wish != JoinWish()
      return Verdict(
        wait: asksForPast
          ? conduct.asks(rules: rules.conduct, now: now) : conduct.controls(rules: rules.conduct, now: now))
    }
    guard roomCount < rules.roomsPerConnection else { return .refuse(.roomLimit) }
    return Verdict(wait: conduct.joins(room, rules: rules.conduct, now: now))
  }

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
    case .private, .chat, .refreshToken, .ping: nil
    }
  }
}
