import Testing

@testable import RealtimeCore

@Suite struct UserKeyTests {
  /// Texts that Swift takes for equal, or nearly so.
  static let lookalikes = ["Zo\u{EB}", "Zoe\u{308}", "Zoe", "\u{212A}", "K", "\u{1100}\u{1161}", "\u{AC00}", ""]

  @Test func `what differs in a byte is two`() {
    #expect(Set(Self.lookalikes).count == 5)
    #expect(Set(Self.lookalikes.map(UserKey.init)).count == Self.lookalikes.count)
    for (place, one) in Self.lookalikes.enumerated() {
      for (other, two) in Self.lookalikes.enumerated() {
        #expect((UserKey(one) == UserKey(two)) == (place == other))
      }
    }
  }

  @Test func `the order is that of the bytes`() {
    let ordered = Self.lookalikes.map(UserKey.init).sorted().map(\.id)
    let expected = Self.lookalikes.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    #expect(ordered.map { Array($0.utf8) } == expected)
  }

  @Test func `a room's list holds both`() throws {
    var roster = RoomRoster()
    let users = try Self.lookalikes.dropLast().map { try #require(Identity(user: $0)) }
    let top = Position(epoch: "e", offset: 0)
    let empty = Roster(members: [], count: 0, top: top, version: 1)
    _ = roster.compare(empty, isFresh: true, isHolding: false, mayShrink: false)
    for (number, user) in users.enumerated() {
      let change = RoomRoster.Change(version: number + 2, user: user, isJoin: true, count: number + 1)
      let news = roster.take(change, isAsked: false)
      #expect(news.events.count == 1 && !news.isDoubtful)
    }
    let change = RoomRoster.Change(version: 100, user: users[1], isJoin: false, count: users.count - 1)
    let left = roster.take(change, isAsked: false).events
    #expect(left.map { Array($0.user.user.utf8) } == [Array(users[1].user.utf8)])
    #expect(roster.members.count == users.count - 1)
  }
}
