import RoostServer
import RoostTesting
import Testing
import Tokens

/// Clients that talk through a real node, with the hub in the shard's loop and in a loop of its own.
@Suite("Talk", .timeLimit(.minutes(20)))
struct TalkTests {
  static let shards = [1, 3]

  @Test(arguments: shards)
  func `others get the message, the sender its ack, in the room's order`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      for turn in 0..<20 {
        try anna.say("a\(turn)", in: "lobby", id: "a\(turn)")
        try ben.say("b\(turn)", in: "lobby", id: "b\(turn)")
      }
      for own in ["a", "b"] {
        var offsets: [Int] = []
        for _ in 0..<40 {
          let text = own == "a" ? try anna.talk() : try ben.talk()
          // An ack is the own message's place in the order: nobody sees his own words.
          #expect(text.contains(#""id":"\#(own)"#) == text.contains(#""ack""#), "\(text)")
          offsets.append(try #require(number("offset", in: text)))
        }
        #expect(offsets == Array(1...40))
      }
    }
  }

  @Test(arguments: shards)
  func `the sender's other devices get the message with its id`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var phone = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var laptop = try TestClient.chat(node, "anna", rooms: ["lobby"])
      try phone.say("hi", in: "lobby", id: "x")
      #expect(try phone.talk().contains(#""type":"ack""#))
      let copy = try laptop.talk()
      #expect(copy.contains(#""new_message""#) && copy.contains(#""client_id":"x""#))
    }
  }

  @Test(arguments: shards)
  func `a room's talk stays in the room, and ends with leaving it`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["one", "two"])
      var ben = try TestClient.chat(node, "ben", rooms: ["one", "two", "three"])
      try anna.sendFrame(#"{"type":"leave_room","room":"one","id":"bye"}"#)
      #expect(try anna.talk().contains(#""id":"bye""#))
      try anna.say("too late", in: "one", id: "n")
      #expect(try anna.talk().contains("NOT_IN_ROOM"))
      try ben.say("not for anna", in: "one", id: "1")
      try ben.say("nor this", in: "three", id: "2")
      try ben.say("but this", in: "two", id: "3")
      #expect(try anna.talk().contains("but this"))
      // Rooms have no order among each other.
      let acks = try (0..<3).map { _ in try ben.talk() }
      for id in ["1", "2", "3"] { #expect(acks.contains { $0.contains(#""id":"\#(id)""#) }) }
    }
  }

  @Test(arguments: shards)
  func `joining, leaving and joining again ends as a member`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var anna = try TestClient.chat(node, "anna")
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      for type in ["join_room", "leave_room", "join_room"] {
        try anna.sendFrame(#"{"type":"\#(type)","room":"lobby","id":"\#(type)"}"#)
      }
      try anna.sendFrame(#"{"type":"send_message","room":"lobby","id":"m","payload":1}"#)
      var seen: [String] = []
      while seen.last?.contains(#""id":"m""#) != true { seen.append(try anna.talk()) }
      #expect(seen.contains { $0.contains("room_info") })
      #expect(seen.last?.contains(#""ack""#) == true)
      try ben.say("hello", in: "lobby", id: "h")
      _ = try ben.skip { $0.text.contains(#""id":"h""#) }
      #expect(try anna.talk().contains("hello"))
    }
  }

  @Test func `what is sent right after a join waits for it`() async throws {
    try await withNode { node in
      var anna = try TestClient.chat(node, "anna")
      try anna.sendFrame(#"{"type":"join_room","room":"lobby"}"#)
      try anna.say("early", in: "lobby", id: "e")
      #expect(try anna.talk().contains("room_info"))
      #expect(try anna.talk().contains(#""ack""#))
    }
  }

  @Test(arguments: shards)
  func `chat is for admins and reaches everybody`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var anna = try TestClient.chat(node, "anna", role: "admin")
      var ben = try TestClient.chat(node, "ben")
      try ben.sendFrame(#"{"type":"chat","payload":{"text":"no"}}"#)
      #expect(try ben.talk().contains("FORBIDDEN"))
      try anna.sendFrame(#"{"type":"chat","payload":{"text":"yes"},"id":"c"}"#)
      #expect(try ben.talk().contains(#""yes""#))
      let answers = [try anna.talk(), try anna.talk()]
      #expect(answers.contains { $0.contains(#""ack""#) })
    }
  }

  @Test(arguments: shards)
  func `private messages reach every device of a user`(shards: Int) async throws {
    try await withNode(configured { $0.shards = shards }) { node in
      var anna = try TestClient.chat(node, "1")
      var phone = try TestClient.chat(node, "2")
      var laptop = try TestClient.chat(node, "2")
      try anna.sendFrame(#"{"type":"private","recipient_id":2,"payload":{"text":"psst"},"id":"p"}"#)
      #expect(try phone.talk().contains("psst"))
      #expect(try laptop.talk().contains("psst"))
      #expect(try anna.talk().contains(#""recipients":2"#))
    }
  }

  @Test func `a token that opens some rooms opens no other`() async throws {
    try await withNode { node in
      var anna = try TestClient(port: node.port)
      let grants = RoomGrants(join: ["team-*"], send: ["team-a"])
      try anna.upgrade("/ws?token=\(token("anna", rooms: grants))")
      try anna.join("team-a")
      try anna.join("team-b")
      try anna.sendFrame(#"{"type":"join_room","room":"other"}"#)
      #expect(try anna.talk().contains("FORBIDDEN"))
      try anna.say("x", in: "team-b", id: "1")
      #expect(try anna.talk().contains("FORBIDDEN"))
      try anna.say("x", in: "team-a", id: "2")
      #expect(try anna.talk().contains(#""ack""#))
    }
  }

  @Test func `an error carries the id of what it is about`() async throws {
    try await withNode { node in
      var anna = try TestClient.chat(node, "anna")
      try anna.sendFrame(#"{"type":"dance","id":"q"}"#)
      #expect(try anna.talk().contains(#""id":"q""#))
    }
  }

  @Test func `a token that ends, ends the connection`() async throws {
    try await withNode { node in
      let anna = try inTime { seconds in
        var anna = try TestClient(port: node.port)
        try anna.upgrade("/ws?token=\(token("anna", seconds: seconds))")
        return HeldClient(anna)
      }
      #expect(try anna.client.skip { $0.opcode == 8 }?.closeCode == 4001)
    }
  }

  @Test func `who is gone is told to others after the grace`() async throws {
    try await withNode(configured { $0.leaveGraceSeconds = 0.1 }) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      do { _ = try TestClient.chat(node, "ben", rooms: ["lobby"]) }
      #expect(try anna.text().contains("user_joined"))
      #expect(try anna.text().contains("user_left"))
    }
  }

  /// The number behind `"name":` in a JSON text.
  private func number(_ name: String, in text: String) -> Int? {
    guard let range = text.firstRange(of: "\"\(name)\":") else { return nil }
    return Int(text[range.upperBound...].prefix { $0.isNumber })
  }
}
