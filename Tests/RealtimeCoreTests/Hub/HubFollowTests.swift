import Testing

@testable import RealtimeCore

/// A relay that must be told which rooms have members here.
struct HubFollowTests {
  private func harness() -> HubHarness { HubHarness { $0.followsRooms = true } }

  /// What is held back of one kind, taken out.
  private func take(_ hub: HubHarness, _ isIt: (RelayRequest) -> Bool) -> [(request: RelayRequest, ticket: RelayTicket)]
  {
    let found = hub.held.filter { isIt($0.request) }
    hub.held.removeAll { isIt($0.request) }
    return found
  }

  private func isRead(_ request: RelayRequest) -> Bool { if case .read = request { true } else { false } }
  private func isRoster(_ request: RelayRequest) -> Bool { if case .roster = request { true } else { false } }

  @Test func `A room is followed while it has members, and told of once`() {
    let hub = harness()
    let (ann, bob) = (hub.member(1, user: "ann"), hub.member(2, user: "bob"))
    #expect(hub.followed == ["+r"])
    hub.tell(.leave(ann, RoomName("r")!, id: []))
    #expect(hub.followed == ["+r"])
    hub.tell(.leave(bob, RoomName("r")!, id: []))
    #expect(hub.followed == ["+r", "-r"])
    _ = hub.member(3, user: "cyd")
    #expect(hub.followed == ["+r", "-r", "+r"])
  }

  @Test func `Nobody is followed who has no members, and none where rooms have no channels`() {
    let hub = harness()
    let ann = hub.connect(1, user: "ann")
    hub.tell(.askOnlineUsers(ann, RoomName("r")!, id: []))
    #expect(hub.followed.isEmpty)
    let plain = HubHarness()
    _ = plain.member(1, user: "ann")
    #expect(plain.followed.isEmpty)
  }

  @Test func `What was said between the roster and the subscription is read, although nothing follows it`() throws {
    let hub = harness()
    let ann = hub.member(1, user: "ann")
    let epoch = hub.epoch
    hub.holdsRequests = true
    hub.tell(.followed(RoomName("r")!))
    let question = try #require(take(hub, isRead).first)
    guard case .read(let rooms) = question.request else { return }
    #expect(rooms.map(\.known) == [Position(epoch: epoch, offset: 0)])
    let text =
      #"{"type":"new_message","room":"r","payload":{"content":"missed"},"id":"n2-1""#
      + #","timestamp":"2026-11-29T00:00:00.000Z""#
    let read = RoomRead(
      room: RoomName("r")!, known: rooms[0].known, top: Position(epoch: epoch, offset: 1),
      messages: [(1, Array(text.utf8))], isComplete: true)
    hub.tell(.reply(question.ticket, .read([read])))
    #expect(hub.contents(ann) == ["missed"])
  }

  @Test func `It is read as well when the roster comes later than the word that the room is followed`() throws {
    let hub = harness()
    _ = hub.connect(1, user: "ann")
    hub.holdsRequests = true
    hub.join(hub.connection(1), "r")
    for asked in hub.held where !isRoster(asked.request) { hub.tell(.reply(asked.ticket, .presenceChanged)) }
    let roster = try #require(take(hub, isRoster).first)
    hub.tell(.followed(RoomName("r")!))
    #expect(take(hub, isRead).isEmpty)
    let place = Position(epoch: "e", offset: 5)
    hub.tell(.reply(roster.ticket, .roster(Roster(members: [], count: 0, top: place, version: 1))))
    let questions = take(hub, isRead)
    guard case .read(let rooms)? = questions.first?.request else { return #expect(Bool(false), "nothing is read") }
    #expect(rooms.map(\.known) == [place])
    #expect(!take(hub, isRoster).isEmpty, "who came or went meanwhile is asked as well")
  }

  @Test func `Word of a room that is gone is nothing`() {
    let hub = harness()
    let ann = hub.member(1, user: "ann")
    hub.tell(.leave(ann, RoomName("r")!, id: []))
    hub.holdsRequests = true
    hub.tell(.followed(RoomName("r")!))
    #expect(hub.held.isEmpty && hub.roomCount == 0)
  }
}
