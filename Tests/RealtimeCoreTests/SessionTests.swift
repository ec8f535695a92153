import RealtimeCore
import Testing

@Suite("Session")
struct SessionTests {
  private let rules = Session.Rules(roomsPerConnection: 2, everybodyMayChat: false)
  private let room = RoomName("team-a")!

  private func judge(
    _ session: inout Session, _ message: ClientMessage, isMember: Bool = true, roomCount: Int = 0, now: Int64 = 0
  ) -> Session.Verdict {
    let maySend = message.room.map { session.maySend(to: $0) } ?? false
    return session.judge(
      message, isMember: isMember, maySend: maySend, roomCount: roomCount, rules: rules, now: now)
  }

  @Test func `who is not in the room can neither speak, type nor leave`() {
    var session = Session()
    let messages: [ClientMessage] = [
      .sendMessage(room, payload: 0..<0, id: nil), .typing(room, isTyping: true, id: nil), .leaveRoom(room, id: nil),
      .history(room, limit: 50, before: nil, id: nil),
    ]
    for message in messages {
      #expect(judge(&session, message, isMember: false) == .refuse(.notInRoom))
      #expect(judge(&session, message) == .proceed)
    }
  }

  @Test func `rooms have a limit that joining again does not meet`() {
    var session = Session()
    #expect(judge(&session, .joinRoom(room, JoinWish(), id: nil), isMember: false, roomCount: 2) == .refuse(.roomLimit))
    #expect(judge(&session, .joinRoom(room, JoinWish(), id: nil), isMember: true, roomCount: 2) == .proceed)
  }

  @Test func `chat is for admins, or for everybody when told so`() {
    var user = Session()
    var admin = Session(isAdmin: true)
    let chat = ClientMessage.chat(payload: 0..<0, id: nil)
    #expect(judge(&user, chat) == .refuse(.forbidden))
    #expect(judge(&admin, chat) == .proceed)
    let open = Session.Rules(roomsPerConnection: 2, everybodyMayChat: true)
    #expect(user.judge(chat, isMember: false, maySend: false, roomCount: 0, rules: open, now: 0) == .proceed)
  }

  @Test(arguments: [
    ("*", true), ("team-*", true), ("team-a", true), ("*-a", true), ("t*m*a", true), ("**a**", true),
    ("team-", false), ("team-a-*", false), ("TEAM-a", false), ("*b", false), ("", false),
  ])
  func `patterns open rooms`(pattern: String, isOpen: Bool) {
    var session = Session(mayJoin: [pattern], maySend: ["nowhere", pattern])
    let expected: Session.Verdict = isOpen ? .proceed : .refuse(.forbidden)
    #expect(judge(&session, .joinRoom(room, JoinWish(), id: nil), isMember: false) == expected)
    #expect(judge(&session, .sendMessage(room, payload: 0..<0, id: nil)) == expected)
  }

  @Test func `typing too often is dropped without a word`() {
    var session = Session()
    let typing = ClientMessage.typing(room, isTyping: true, id: nil)
    let verdicts = (0..<20).map { _ in judge(&session, typing) }
    #expect(verdicts.first == .proceed && verdicts.last == .ignore)
    #expect(judge(&session, typing, now: 10_000) == .proceed)
  }

  @Test func `joining and leaving on and on is slowed down`() {
    var session = Session()
    let verdicts = (0..<30).map { _ in judge(&session, .joinRoom(room, JoinWish(), id: nil), isMember: false) }
    #expect(verdicts.prefix(22).allSatisfy { $0 == .proceed })
    #expect(verdicts.last == .refuse(.rateLimited(retryAfterMilliseconds: 200)))
  }

  @Test func `asking for rooms that are closed costs as much as for open ones`() {
    var session = Session(mayJoin: ["own"])
    let verdicts = (0..<30).map { _ in judge(&session, .joinRoom(room, JoinWish(), id: nil), isMember: false) }
    #expect(verdicts.prefix(22).allSatisfy { $0 == .refuse(.forbidden) })
    #expect(verdicts.last == .refuse(.rateLimited(retryAfterMilliseconds: 200)))
    #expect(judge(&session, .onlineUsers(room, id: nil), isMember: false) == verdicts.last)
  }

  @Test func `a new token changes what is allowed, and forgives nothing`() {
    var session = Session(isAdmin: true, mayJoin: ["*"], maySend: ["*"])
    let token = ClientMessage.refreshToken(0..<0, id: nil)
    for _ in 0..<5 { #expect(judge(&session, token) == .proceed) }
    #expect(judge(&session, token) == .refuse(.rateLimited(retryAfterMilliseconds: 10_000)))
    session.renew(isAdmin: false, mayJoin: ["team-b"], maySend: [])
    #expect(!session.mayJoin(room) && !session.maySend(to: room))
    #expect(judge(&session, .chat(payload: 0..<0, id: nil)) == .refuse(.forbidden))
    #expect(judge(&session, .joinRoom(room, JoinWish(), id: nil), isMember: false) == .refuse(.forbidden))
    #expect(judge(&session, token) == .refuse(.rateLimited(retryAfterMilliseconds: 10_000)))
    #expect(judge(&session, token, now: 10_000) == .proceed)
  }

  @Test func `who may not send to a room does not type in it`() {
    var session = Session(maySend: [])
    #expect(judge(&session, .typing(room, isTyping: true, id: nil)) == .refuse(.forbidden))
    #expect(judge(&session, .sendMessage(room, payload: 0..<0, id: nil)) == .refuse(.forbidden))
    #expect(judge(&session, .sendMessage(room, payload: 0..<0, id: nil), isMember: false) == .refuse(.notInRoom))
  }

  @Test func `the tenth text that is no JSON is too many`() {
    var session = Session()
    #expect((0..<10).map { _ in session.offends(second: 1) } == Array(repeating: false, count: 9) + [true])
  }
}
