import Testing

@testable import RealtimeCore

@Suite struct LookalikeUserTests {
  /// `é` in one scalar, and as an `e` with an accent behind it.
  @Test func `users whose ids only look the same are two`() throws {
    let hub = HubHarness(configure: { $0.connectionsPerUser = 1 })
    let (one, two) = ("ren\u{e9}", "rene\u{301}")
    let bob = hub.member(9, user: "bob")
    let (first, second) = (hub.connect(1, user: one), hub.connect(2, user: two))
    #expect(hub.refused.isEmpty && hub.admitted[first] != hub.admitted[second])
    hub.join(first, "r")
    hub.join(second, "r")
    #expect(hub.texts(bob, "user_joined").count == 2)
    let users = try #require(hub.texts(second, "room_info").first).payload["users"] as? [[String: Any]]
    #expect(users?.count == 3)
    hub.send(second, "hi")
    let sender = try #require(hub.texts(first, "new_message").first?.json["sender"] as? [String: Any])
    #expect((sender["id"] as? String)?.utf8.elementsEqual(two.utf8) == true)
    hub.tell(.sendPrivate(bob, recipient: one, HubHarness.text("psst", id: "")))
    #expect(hub.texts(first, "private").count == 1 && hub.texts(second, "private").isEmpty)
    let all = try #require(Revocation.user(one, issuedUntil: hub.now.wall / 1_000, until: hub.now.wall / 1_000 + 60))
    hub.tell(.revoke(bob, [all]))
    #expect(hub.closed[first] == .revoked && hub.closed[second] == nil)
    hub.tell(.disconnect(first, .left))
    #expect(hub.texts(bob, "user_left").count == 1)
  }
}
