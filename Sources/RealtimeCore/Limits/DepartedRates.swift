/// The message rates of users whose last connection is gone: who comes back at once finds his bucket as he left it.
///
/// Two tables take turns. An entry is kept in the younger one; when a bucket has had the time to fill up, the older
/// one is thrown away whole and the younger one takes its place. So every entry is kept long enough, none is ever
/// looked for, and a million users who came and went cost nothing a moment later.
struct DepartedRates {
  /// Entries of one table. When it is full, the older one goes before its time.
  static let limit = 50_000

  private var young: [UserKey: UserRate] = [:]
  private var old: [UserKey: UserRate] = [:]
  /// When the tables take turns next, in milliseconds; `nil` while there is nothing in them.
  private(set) var nextDue: Int64?

  var count: Int { young.count + old.count }

  /// - Parameter lifetime: milliseconds after which an entry says nothing any more.
  mutating func keep(_ rate: UserRate, of user: String, now: Int64, lifetime: Int64) {
    if young.count >= Self.limit { turn(now: now, lifetime: lifetime) }
    young[UserKey(user)] = rate
    if nextDue == nil { nextDue = now + lifetime }
  }

  /// The user is back.
  mutating func take(_ user: String) -> UserRate? {
    guard nextDue != nil else { return nil }
    let key = UserKey(user)
    return young.removeValue(forKey: key) ?? old.removeValue(forKey: key)
  }

  mutating func tick(now: Int64, lifetime: Int64) {
    guard let due = nextDue, due <= now else { return }
    turn(now: now, lifetime: lifetime)
  }

  private mutating func turn(now: Int64, lifetime: Int64) {
    old = young
    young = [:]
    nextDue = old.isEmpty ? nil : now + lifetime
  }
}
