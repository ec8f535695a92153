/// Who is in which room as the clients themselves know it, and what they are told about each other.
struct PresenceWatch {
  /// Shorter absences must not be seen by others: the nodes' leave grace is 6 s here. Both ends measure, and on a busy
  /// machine one of them may hear of an end seconds after the other.
  static let grace: Int64 = 3_000
  /// After a longer absence the "left" may be on its way for so long.
  static let patience: Int64 = 60_000

  private struct Stay {
    var connections = 0
    var since: Int64 = 0
    /// How long the user was away before; `nil`: never there before.
    var absence: Int64?
    var leftAt: Int64?
  }

  private struct User: Hashable {
    var name: String
    var room: String
  }

  /// Users whose clients do not notice what becomes of their connections.
  var unaccountable: Set<String> = []
  private var stays: [User: Stay] = [:]
  /// What each client was told last about each user, by client and room.
  private var told: [Ledger.Key: [String: Bool]] = [:]

  /// A connection of the user is in the room; it was told about nobody yet.
  mutating func entered(_ user: String, _ key: Ledger.Key, now: Int64) {
    told[key] = [:]
    var stay = stays[User(name: user, room: key.room)] ?? Stay()
    stay.connections += 1
    if stay.connections == 1 {
      stay.absence = stay.leftAt.map { now - $0 }
      stay.since = now
    }
    stays[User(name: user, room: key.room)] = stay
  }

  /// A connection of the user in the room was lost.
  mutating func exited(_ user: String, _ room: String, now: Int64) {
    let user = User(name: user, room: room)
    guard var stay = stays[user], stay.connections > 0 else { return }
    stay.connections -= 1
    if stay.connections == 0 { stay.leftAt = now }
    stays[user] = stay
  }

  /// What is wrong with an event, if anything.
  mutating func heard(_ isJoin: Bool, of user: String, by key: Ledger.Key, now: Int64) -> String? {
    let before = told[key, default: [:]].updateValue(isJoin, forKey: user)
    let verb = isJoin ? "joined" : "left"
    if before == isJoin { return "heard twice in a row that \(user) \(verb)" }
    guard !isJoin, !unaccountable.contains(user), let stay = stays[User(name: user, room: key.room)],
      stay.connections > 0
    else { return nil }
    switch stay.absence {
    case nil where now - stay.since > 3_000: return "heard that \(user) left, who was there for \(now - stay.since) ms"
    case let absence? where absence < Self.grace:
      return "heard that \(user) left, who was away for \(absence) ms only"
    case .some where now - stay.since > Self.patience:
      return "heard that \(user) left, who was there for \(now - stay.since) ms"
    default: return nil
    }
  }
}

extension Ledger {
  /// A remark for the log of the client's view.
  public mutating func note(_ text: String, _ client: Int, _ room: String) {
    views[Key(client: client, room: room)]?.note(text)
  }

  /// The client's connection is in the room, as `user`.
  public mutating func entered(_ client: Int, _ room: String, as user: String, now: Int64) {
    presence.entered(user, Key(client: client, room: room), now: now)
  }

  public mutating func exited(_ client: Int, _ room: String, as user: String, now: Int64) {
    note("lost its connection", client, room)
    presence.exited(user, room, now: now)
  }

  /// The user's clients will not notice what becomes of their connections: others may hear anything about it.
  public mutating func isUnaccountable(_ user: String) { presence.unaccountable.insert(user) }

  /// `user_joined` or `user_left` came.
  public mutating func heardPresence(_ client: Int, _ room: String, of user: String, isJoin: Bool, now: Int64) {
    let key = Key(client: client, room: room)
    views[key]?.note("\(isJoin ? "joined" : "left") \(user)")
    if let wrong = presence.heard(isJoin, of: user, by: key, now: now) { blame(\.wrongPresence, key, wrong) }
  }
}
