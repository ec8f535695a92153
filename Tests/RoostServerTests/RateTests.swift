import RoostServer
import RoostTesting
import Testing

/// What happens to those who do too much: told, slowed down, closed.
@Suite("Rates", .timeLimit(.minutes(20)))
struct RateTests {
  /// The limits that everybody has who sets none.
  private func limited(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> ServerConfiguration {
    configured {
      let connects = $0.limits.connectsPerAddressPerSecond
      $0.limits = ServerConfiguration.Limits()
      $0.limits.connectsPerAddressPerSecond = connects
      change(&$0)
    }
  }

  /// Answers up to the close frame, as words: an error's code or the message's type.
  private func answers(_ client: inout TestClient, count: Int) throws -> [String] {
    try (0..<count).map { _ in
      let frame = try #require(try client.skip { !$0.text.contains("user_joined") && !$0.text.contains("user_left") })
      if let code = frame.closeCode { return "\(code)" }
      let key = frame.text.contains(#""code":""#) ? #""code":""# : #""type":""#
      let start = try #require(frame.text.firstRange(of: key)).upperBound
      return String(frame.text[start...].prefix { $0 != "\"" })
    }
  }

  /// In one piece, so that they come at one time.
  private func send(_ texts: [String], by client: borrowing TestClient) throws {
    try client.send(texts.flatMap { TestClient.frame(Array($0.utf8)) })
  }

  private func repeated(_ word: String, _ count: Int) -> [String] { Array(repeating: word, count: count) }

  @Test(arguments: [
    #"{"type":"send_message","room":"lobby","payload":1}"#, #"{"type":"private","recipient_id":"ben","payload":1}"#,
    #"{"type":"chat","payload":1}"#,
  ])
  func `ten messages at once, thirty refusals, and the end`(text: String) async throws {
    try await withNode(limited { $0.limits.ratePerSecond = 0.001 }) { node in
      var anna = try TestClient.chat(node, "anna", role: "admin", rooms: ["lobby"])
      try send(Array(repeating: text, count: 50), by: anna)
      // A chat comes back to its sender as well, and an ack may come later than a refusal.
      var seen: [String: Int] = [:]
      while seen["4029"] == nil { seen[try answers(&anna, count: 1)[0], default: 0] += 1 }
      #expect(seen["RATE_LIMITED"] == 30 && seen["4029"] == 1, "\(seen)")
      #expect(try anna.isAtEnd())
      #expect(try metric("roost_closes_total{code=\"4029\",reason=\"rate_limit_ignored\"}", of: node) == 1)
      #expect(try metric("roost_errors_total{code=\"RATE_LIMITED\"}", of: node) == 30)
    }
  }

  @Test func `a refusal says when to try again, and coming back by another socket does not help`() async throws {
    try await withNode(limited { $0.limits.ratePerSecond = 0.01 }) { node in
      do {
        var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
        for number in 0..<10 { try anna.say("x", in: "lobby", id: "\(number)") }
        #expect(try answers(&anna, count: 10) == repeated("ack", 10))
      }
      var again = try TestClient.chat(node, "anna", rooms: ["lobby"])
      try again.say("x", in: "lobby", id: "11")
      let refusal = try again.talk()
      #expect(refusal.contains("RATE_LIMITED") && refusal.contains(#""retry_after_ms":"#), "\(refusal)")
    }
  }

  @Test func `coming and going is slowed down for each room`() async throws {
    // The next one is free after half a minute.
    try await withNode(limited { $0.limits.returnsPerMinute = 2 }) { node in
      var anna = try TestClient.chat(node, "anna")
      for _ in 0..<2 {
        try anna.sendFrame(#"{"type":"join_room","room":"lobby"}"#)
        #expect(try answers(&anna, count: 1) == ["room_info"])
        try anna.sendFrame(#"{"type":"leave_room","room":"lobby"}"#)
        #expect(try answers(&anna, count: 1) == ["ack"])
      }
      try anna.sendFrame(#"{"type":"join_room","room":"lobby"}"#)
      try anna.sendFrame(#"{"type":"join_room","room":"other"}"#)
      #expect(try answers(&anna, count: 2) == ["RATE_LIMITED", "room_info"])
    }
  }

  @Test(arguments: [
    #"{"type":"history","room":"lobby"}"#, #"{"type":"online_users","room":"lobby"}"#,
    #"{"type":"join_room","room":"lobby","payload":{"history":10}}"#,
  ])
  func `questions with big answers are rare`(text: String) async throws {
    try await withNode(limited { $0.limits.questionsPerSecond = 1 }) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      try send(Array(repeating: text, count: 4), by: anna)
      let seen = try answers(&anna, count: 4)
      #expect(seen.count { $0 == "RATE_LIMITED" } == 2, "\(seen)")
    }
  }

  @Test func `new rooms are limited, joined or asked about`() async throws {
    try await withNode(
      limited {
        $0.limits.roomsPerConnection = 30
        $0.limits.newRoomsPerMinute = 1
        $0.limits.questionsPerSecond = 100
      }
    ) { node in
      var anna = try TestClient.chat(node, "anna")
      try send((0..<25).map { #"{"type":"join_room","room":"r\#($0)"}"# }, by: anna)
      #expect(try answers(&anna, count: 25) == repeated("room_info", 25))
      try send((0..<26).map { #"{"type":"online_users","room":"q\#($0)"}"# }, by: anna)
      let seen = try answers(&anna, count: 26)
      #expect(seen.count { $0 == "RATE_LIMITED" } == 1 && seen.contains("online_users"), "\(seen)")
    }
  }

  @Test func `too much typing is dropped without a word`() async throws {
    try await withNode(limited()) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      try send(Array(repeating: #"{"type":"typing","room":"lobby"}"#, count: 40), by: anna)
      try anna.sendFrame(#"{"type":"ping"}"#)
      #expect(try answers(&anna, count: 1) == ["pong"])
      #expect(try answers(&ben, count: 1) == ["user_typing"])
      let dropped = try #require(try metric("roost_typing_dropped_total", of: node))
      #expect((25...30).contains(dropped))
    }
  }

  @Test func `mistakes on and on end the connection`() async throws {
    try await withNode(limited { $0.limits.roomsPerConnection = 1 }) { node in
      var anna = try TestClient.chat(node, "anna")
      // 1 room and 20 at once, then three times as many refusals.
      for _ in 0..<21 { try anna.sendFrame(#"{"type":"dance"}"#) }
      #expect(try answers(&anna, count: 21) == repeated("UNKNOWN_TYPE", 21))
      try anna.send((0..<300).flatMap { _ in TestClient.frame(Array(#"{"type":"dance"}"#.utf8)) })
      var seen: [String: Int] = [:]
      while seen["4029"] == nil { seen[try answers(&anna, count: 1)[0], default: 0] += 1 }
      #expect((63...100).contains(seen["RATE_LIMITED"] ?? 0), "\(seen)")
      #expect(try anna.isAtEnd())
    }
  }
}

/// Bytes, for which nobody is told anything.
@Suite("Intake", .timeLimit(.minutes(20)))
struct IntakeSocketTests {
  private static let filler = TestClient.frame(
    Array((#"{"type":"ping","x":""# + String(repeating: "a", count: 3_970) + #""}"#).utf8))

  private func pongs(_ client: inout TestClient, _ count: Int) throws {
    for _ in 0..<count { #expect(try client.skip { $0.opcode == 1 }?.text.contains("pong") == true) }
  }

  @Test func `who sends too much is read later, loses nothing, and nobody else waits`() async throws {
    try await withNode(configured { $0.limits.bytesPerSecond = 65_536 }) { node in
      var eager = try TestClient.chat(node, "eager")
      var modest = try TestClient.chat(node, "modest")
      // 448 KiB where 256 may come at once: only who is held up for three seconds would have to wait for nothing.
      try eager.send((0..<112).flatMap { _ in Self.filler })
      try modest.sendFrame(#"{"type":"ping","id":"quick"}"#)
      #expect(try modest.text().contains("quick"))
      try pongs(&eager, 112)
      #expect(try #require(try metric("roost_paused_reads_total", of: node)) >= 1)
    }
  }

  @Test func `a pause is no silence`() async throws {
    let configuration = configured {
      $0.limits.bytesPerSecond = 16_384
      ($0.times.ping, $0.times.pong) = (1, 3)
    }
    try await withNode(configuration) { node in
      var eager = try TestClient.chat(node, "eager")
      // Twice what may come at once: 4 s of pause, where 3 s of silence would end it.
      let last = TestClient.frame(Array(#"{"type":"ping","id":"last"}"#.utf8))
      try eager.send((0..<33).flatMap { _ in Self.filler } + last)
      try pongs(&eager, 33)
      let answer = try eager.skip { $0.text.contains("last") || $0.opcode == 8 }
      #expect(answer?.text.contains("last") == true)
    }
  }

  @Test func `who breaks a rule in a flood still learns it`() async throws {
    try await withNode(configured { $0.limits.bytesPerSecond = 16_384 }) { node in
      var eager = try TestClient.chat(node, "eager")
      try eager.send((0..<33).flatMap { _ in Self.filler } + [0xFF, 0xFF])
      #expect(try eager.skip { $0.opcode == 8 }?.closeCode == 1002)
      #expect(try eager.isAtEnd())
    }
  }
}
