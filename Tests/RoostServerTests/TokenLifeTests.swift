import Glibc
import RoostServer
import RoostTesting
import Testing
import Tokens

/// What becomes of a connection when its token ends, or is replaced by another.
@Suite("Token life", .timeLimit(.minutes(20)))
struct TokenLifeTests {
  private func refresh(_ token: String, id: String = "r") -> String {
    #"{"type":"refresh_token","id":"\#(id)","payload":{"token":"\#(token)"}}"#
  }

  private let refused = #"{"type":"error","payload":{"code":"FORBIDDEN","message":"not allowed"},"id":"r"}"#

  private func connect(_ node: Node, _ token: String, rooms: [String] = []) throws -> TestClient {
    var client = try TestClient(port: node.port)
    try client.upgrade("/ws?token=\(token)")
    for room in rooms { try client.join(room) }
    return client
  }

  @Test(arguments: TalkTests.shards)
  func `a token that ends soon is announced, then the connection ends for good`(shards: Int) async throws {
    let configuration = configured {
      $0.shards = shards
      $0.leaveGraceSeconds = 60
    }
    try await withNode(configuration) { node in
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      let (anna, notice, end) = try inTime { seconds in
        let end = Int64(time(nil)) + seconds
        let anna = HeldClient(
          try connect(node, TokenMinter(secret: testSecret).mint(Claims(userID: "anna", expiresAt: end))))
        let notice = try anna.client.text()
        try anna.client.join("lobby")
        return (anna, notice, end)
      }
      #expect(notice.hasPrefix(#"{"type":"token_expiring","payload":{"expires_at":""#) && notice.contains(".000Z"))
      // Within the grace of a minute nobody would be told of a lost socket.
      let close = try #require(try anna.client.skip { $0.opcode == 8 })
      #expect(close.closeCode == 4001)
      #expect(String(decoding: close.payload.dropFirst(2), as: UTF8.self) == "token expired")
      #expect(try ben.skip { $0.text.contains(#""user_left""#) } != nil)
      var late = try TestClient(port: node.port)
      try late.send(
        TestClient.upgradeRequest(
          "/ws?token=\(TokenMinter(secret: testSecret).mint(Claims(userID: "anna", expiresAt: end)))"))
      #expect(try late.answer()?.status == 401)
    }
  }

  @Test(arguments: TalkTests.shards)
  func `a new token in time keeps the connection`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      let (witness, anna, ack) = try inTime { seconds in
        let witness = HeldClient(try connect(node, token("ben", seconds: seconds)))
        let anna = HeldClient(try connect(node, token("anna", seconds: seconds), rooms: ["lobby"]))
        try anna.client.sendFrame(refresh(token("anna", seconds: 3_600)))
        guard let ack = try anna.client.skip(to: { $0.text.contains(#""ack""#) }) else { throw Late(what: "an ack") }
        return (witness, anna, ack.text)
      }
      #expect(ack.hasPrefix(#"{"type":"ack","payload":{"expires_at":""#) && ack.hasSuffix(#"","left":[]},"id":"r"}"#))
      #expect(try witness.client.skip { $0.opcode == 8 }?.closeCode == 4001)
      try anna.client.say("still here", in: "lobby", id: "x")
      #expect(try anna.client.talk().contains(#""type":"ack""#))
    }
  }

  @Test func `the new token's end is announced in its turn, and holds`() async throws {
    try await withNode { node in
      let anna = try inTime { seconds in
        let anna = HeldClient(try connect(node, token("anna")))
        try anna.client.sendFrame(refresh(token("anna", seconds: seconds)))
        guard try anna.client.text().contains(#""ack""#) else { throw Late(what: "an ack") }
        return anna
      }
      #expect(try anna.client.text().contains(#""token_expiring""#))
      #expect(try anna.client.frame()?.closeCode == 4001)
    }
  }

  @Test(arguments: TalkTests.shards)
  func `a token that opens fewer rooms ends membership in the others`(shards: Int) async throws {
    let configuration = configured {
      $0.shards = shards
      $0.leaveGraceSeconds = 60
    }
    try await withNode(configuration) { node in
      var ben = try TestClient.chat(node, "ben", rooms: ["b"])
      var anna = try connect(node, token("anna"), rooms: ["a", "b", "c"])
      try anna.sendFrame(refresh(token("anna", rooms: RoomGrants(join: ["a"], send: ["b", "c"]))))
      #expect(try anna.talk().contains(#""left":["b","c"]},"id":"r""#))
      #expect(try anna.talk() == #"{"type":"ack","room":"b"}"#)
      #expect(try anna.talk() == #"{"type":"ack","room":"c"}"#)
      #expect(try ben.skip { $0.text.contains(#""user_left""#) } != nil, "at once, and for all")
      try anna.say("one", in: "b", id: "1")
      #expect(try anna.talk().contains("NOT_IN_ROOM"))
      try anna.sendFrame(#"{"type":"join_room","room":"b"}"#)
      #expect(try anna.talk().contains("FORBIDDEN"))
      try anna.say("two", in: "a", id: "2")
      #expect(try anna.talk().contains("FORBIDDEN"), "it may be in the room, and not send")
      try ben.say("three", in: "b", id: "3")
      try anna.sendFrame(#"{"type":"ping","id":"4"}"#)
      #expect(try anna.talk().contains(#""pong""#), "nothing of the room comes any more")
      // And a wider one opens them again.
      try anna.sendFrame(refresh(token("anna")))
      #expect(try anna.talk().contains(#""left":[]"#))
      try anna.say("five", in: "a", id: "5")
      #expect(try anna.talk().contains(#""ack""#))
      try anna.join("b")
    }
  }

  @Test func `a new role holds at once, both ways`() async throws {
    try await withNode { node in
      var anna = try connect(node, token("anna"))
      let chat = #"{"type":"chat","id":"c","payload":1}"#
      for (role, isAllowed) in [(nil, false), ("admin", true), (nil, false)] as [(String?, Bool)] {
        try anna.sendFrame(refresh(token("anna", role: role)))
        #expect(try anna.text().contains(#""left":[]"#))
        try anna.sendFrame(chat)
        let answer = try #require(try anna.skip { $0.text.contains(#""id":"c""#) }).text
        #expect(answer.contains(isAllowed ? #""ack""# : "FORBIDDEN"))
      }
    }
  }

  @Test func `every bad token gets the same answer, which does not repeat it`() async throws {
    try await withNode { node in
      let foreign = try TokenMinter(secret: Array("another secret of thirty-two bytes".utf8)).mint(
        Claims(userID: "anna", expiresAt: Int64(time(nil)) + 3_600))
      let bad = try [
        "nonsense", "a.b.c", foreign, token("anna", seconds: -1), token("ben"),
        #"\u0061.b.c"#,
      ]
      for token in bad {
        var anna = try connect(node, RoostServerTests.token("anna"), rooms: ["lobby"])
        try anna.sendFrame(refresh(token))
        #expect(try anna.talk() == refused)
        try anna.say("still here", in: "lobby", id: "x")
        #expect(try anna.talk().contains(#""ack""#), "the old one holds")
      }
      var anna = try connect(node, token("anna"))
      for payload in [#"{}"#, #"{"token":7}"#, #"{"token":""}"#, #""x""#, "null"] {
        try anna.sendFrame(#"{"type":"refresh_token","payload":\#(payload)}"#)
        #expect(try anna.text().contains("INVALID_PAYLOAD"))
      }
    }
  }

  @Test func `signature checks are rationed, and bad tokens on and on end the connection`() async throws {
    try await withNode { node in
      var anna = try connect(node, token("anna"))
      // In one piece, so that they come at one time.
      let offers = try Array(repeating: refresh("nonsense"), count: 5) + [refresh(token("anna"))]
      try anna.send(offers.flatMap { TestClient.frame(Array($0.utf8)) })
      for _ in 0..<5 { #expect(try anna.text() == refused) }
      let answer = try anna.text()
      #expect(answer.contains("RATE_LIMITED") && answer.contains("retry_after_ms"))
      // Five offences so far; texts that are no JSON count the same.
      for _ in 0..<4 {
        try anna.sendFrame("nonsense")
        #expect(try anna.text().contains("INVALID_FORMAT"))
      }
      try anna.sendFrame("nonsense")
      #expect(try anna.skip { $0.opcode == 8 }?.closeCode == 1008)
    }
  }

  @Test func `a token without an end knows none of this`() async throws {
    try await withNode(configured { $0.requiresExpiry = false }) { node in
      let endless = try TokenMinter(secret: testSecret).mint(Claims(userID: "anna"))
      var anna = try connect(node, endless)
      try anna.sendFrame(refresh(endless))
      #expect(try anna.text() == #"{"type":"ack","payload":{"left":[]},"id":"r"}"#)
    }
  }

  @Test func `defaults hold for tokens that name no rooms`() async throws {
    let configuration = configured { $0.defaultRooms = RoomGrants(join: ["pub*"], send: []) }
    try await withNode(configuration) { node in
      var anna = try connect(node, token("anna"), rooms: ["public"])
      try anna.say("hi", in: "public", id: "x")
      #expect(try anna.talk().contains("FORBIDDEN"))
      try anna.sendFrame(#"{"type":"typing","room":"public","id":"t"}"#)
      #expect(try anna.talk().contains("FORBIDDEN"), "who may not write is not writing")
      try anna.sendFrame(#"{"type":"join_room","room":"secret"}"#)
      #expect(try anna.talk().contains("FORBIDDEN"))
      var ben = try connect(node, token("ben", rooms: RoomGrants(join: ["*"], send: ["public"])), rooms: ["secret"])
      try ben.join("public")
      try ben.say("hi", in: "public", id: "x")
      #expect(try ben.talk().contains(#""ack""#))
    }
  }

  @Test func `nothing tells whether a forbidden room exists`() async throws {
    try await withNode { node in
      let ben = try TestClient.chat(node, "ben", rooms: ["there"])
      var anna = try connect(node, token("anna", rooms: RoomGrants(join: ["own"])))
      for message in [
        #""join_room","payload":{"room_id":"X"}"#, #""online_users","payload":{"room_id":"X"}"#,
        #""history","payload":{"room_id":"X"}"#, #""leave_room","payload":{"room_id":"X"}"#,
        #""typing","room":"X""#, #""stop_typing","room":"X""#, #""send_message","room":"X","payload":1"#,
        #""join_room","payload":{"room_id":"X","since":{"epoch":"e","offset":1}}"#,
      ] {
        var answers: [String] = []
        for room in ["there", "nowhere"] {
          try anna.sendFrame(#"{"type":"# + message.replacing("X", with: room) + "}")
          answers.append(try anna.text())
        }
        #expect(answers[0] == answers[1] && answers[0].contains(#""error""#), "\(message)")
      }
      try ben.sendFrame(#"{"type":"ping"}"#)
    }
  }
}
