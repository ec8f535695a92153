import RealtimeCore
import Testing

@testable import struct RealtimeCore.RoomRoster

@Suite struct RoomRosterTests {
  private func user(_ id: String) -> Identity { Identity(user: id)! }

  private func snapshot(_ users: [String], version: Int) -> Roster {
    Roster(members: users.map(user), count: users.count, top: Position(epoch: "e", offset: 0), version: version)
  }

  private func change(_ text: String, version: Int, count: Int?) -> RoomRoster.Change {
    RoomRoster.Change(version: version, user: user(String(text.dropFirst())), isJoin: text.first == "+", count: count)
  }

  private func text(_ news: RoomRoster.News) -> [String] { news.events.map { ($0.isJoin ? "+" : "-") + $0.user.user } }

  private func roster(_ users: [String], version: Int) -> RoomRoster {
    var roster = RoomRoster()
    roster.asked()
    let news = roster.compare(snapshot(users, version: version), isFresh: true, isHolding: false, mayShrink: false)
    #expect(news.events.isEmpty, "nobody was told anything before")
    return roster
  }

  @Test func `what is older than the roster is no news`() {
    var roster = roster(["ann", "bob"], version: 10)
    #expect(text(roster.take(change("-bob", version: 9, count: 1), isAsked: false)) == [])
    #expect(text(roster.take(change("+bob", version: 10, count: 2), isAsked: false)) == [])
    #expect(text(roster.take(change("-bob", version: 11, count: 1), isAsked: false)) == ["-bob"])
    let old = roster.compare(snapshot(["ann", "bob"], version: 10), isFresh: true, isHolding: false, mayShrink: false)
    #expect(text(old) == [] && roster.members.map(\.user) == ["ann"])
  }

  @Test func `what comes while a snapshot is awaited follows it by version`() {
    var roster = roster(["ann"], version: 1)
    roster.doubt()
    roster.asked()
    #expect(text(roster.take(change("+bob", version: 5, count: 2), isAsked: true)) == [])
    #expect(text(roster.take(change("-ann", version: 7, count: 1), isAsked: true)) == [])
    let news = roster.compare(snapshot(["ann", "bob"], version: 5), isFresh: true, isHolding: false, mayShrink: false)
    #expect(text(news) == ["+bob", "-ann"] && roster.isCurrent && !news.isDoubtful)
  }

  @Test func `a snapshot asked for before the doubt does not end it`() {
    var roster = roster(["ann"], version: 1)
    roster.doubt()
    let news = roster.compare(snapshot(["ann", "bob"], version: 2), isFresh: false, isHolding: false, mayShrink: false)
    #expect(text(news) == ["+bob"] && !roster.isCurrent)
  }

  @Test func `too many frames to keep cost another snapshot`() {
    var roster = roster([], version: 1)
    roster.doubt()
    roster.asked()
    for version in 2...(RoomRoster.keptLimit + 2) {
      _ = roster.take(change("+u\(version)", version: version, count: nil), isAsked: true)
    }
    let news = roster.compare(snapshot([], version: 1), isFresh: true, isHolding: false, mayShrink: false)
    #expect(news.isDoubtful && !roster.isCurrent)
  }

  /// A new relay may begin with lower versions.
  @Test func `a new generation begins its versions anew, and its missing are suspects`() {
    var roster = roster(["ann", "bob", "cid"], version: 1_000)
    roster.doubt()
    roster.asked()
    #expect(text(roster.compare(snapshot(["ann"], version: 3), isFresh: true, isHolding: true, mayShrink: false)) == [])
    #expect(text(roster.take(change("+bob", version: 4, count: 2), isAsked: false)) == [])
    #expect(roster.shown(snapshot(["ann"], version: 3)).members.map(\.user) == ["ann", "bob", "cid"])
    #expect(text(roster.endHold()) == ["-cid"] && text(roster.endHold()) == [])
    #expect(roster.count == 2 && roster.members.count == 2)
  }

  @Test func `a count that does not fit is a lost frame`() {
    var roster = roster(["ann"], version: 1)
    let news = roster.take(change("+bob", version: 3, count: 3), isAsked: false)
    #expect(text(news) == ["+bob"] && news.isDoubtful && !roster.isCurrent)
  }
}
