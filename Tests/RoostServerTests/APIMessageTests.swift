import Foundation
import RoostServer
import RoostTesting
import Testing

extension TestClient {
  /// Calls and reads the answer's JSON.
  mutating func ask(
    _ path: String, _ body: String? = nil, status: Int = 200, location: SourceLocation = #_sourceLocation
  ) throws -> [String: Any] {
    try call(path, body, method: body == nil ? "GET" : "POST")
    let answer = try #require(try answer(), sourceLocation: location)
    #expect(answer.status == status, "\(answer.body)", sourceLocation: location)
    let json = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
    return try #require(json as? [String: Any], sourceLocation: location)
  }

  /// The next frame that is not about somebody coming or going.
  mutating func hear() throws -> [String: Any] {
    let json = try JSONSerialization.jsonObject(with: Data(try talk().utf8))
    return try #require(json as? [String: Any])
  }
}

/// What backends send, and who gets it.
@Suite("API: messages", .timeLimit(.minutes(20)))
struct APIMessageTests {
  @Test(arguments: [1, 3])
  func `a published message is numbered and reaches all members`(shards: Int) async throws {
    try await withAPI({ $0.shards = shards }) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      var backend = try TestClient(port: node.port)
      let payload = #"{"content": "h\u0069",  "n":1.0}"#
      let body = #"{"room":"lobby","payload":\#(payload),"sender":{"id":"anna","name":"Anna's bot"}}"#
      let answer = try backend.ask("/api/publish", body)
      #expect(answer["room"] as? String == "lobby" && answer["offset"] as? Int == 1 && answer["dup"] == nil)
      let id = try #require(answer["message_id"] as? String)
      for text in [try anna.talk(), try ben.talk()] {
        #expect(text.contains(#""type":"new_message","room":"lobby","payload":\#(payload),"#), "byte for byte")
        #expect(text.contains(#""sender":{"id":"anna","name":"Anna's bot"}"#))
        #expect(text.contains(#""id":"\#(id)""#) && text.contains(#""offset":1"#))
        #expect(!text.contains("client_id"))
      }
      #expect(try backend.ask("/api/publish", #"{"room":"lobby","payload":2}"#)["offset"] as? Int == 2)
      #expect(try !anna.talk().contains(#""sender""#))
    }
  }

  @Test func `an id is stored once, and clients' ids are others`() async throws {
    try await withAPI { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var backend = try TestClient(port: node.port)
      func publish(_ body: String) throws -> [String: Any] { try backend.ask("/api/publish", body) }
      try anna.say("mine", in: "lobby", id: "i-1")
      #expect(try anna.hear()["type"] as? String == "ack")

      let first = try publish(#"{"room":"lobby","payload":"a","id":"i-1","sender":{"id":"anna"}}"#)
      #expect(first["offset"] as? Int == 2 && first["dup"] == nil)
      #expect(try anna.hear()["payload"] as? String == "a")
      // The same id, written otherwise, from another sender.
      let again = try publish(#"{"room":"lobby","payload":"b","id":"\u0069-1","sender":{"id":"ben"}}"#)
      #expect(again["offset"] as? Int == 2 && again["dup"] as? Bool == true && again["message_id"] == nil)
      #expect(again["epoch"] as? String == first["epoch"] as? String)
      #expect(try publish(#"{"room":"other","payload":"c","id":"i-1"}"#)["offset"] as? Int == 1)
      try anna.say("after", in: "lobby", id: "i-2")
      let ack = try anna.hear()
      #expect(ack["type"] as? String == "ack" && ack["offset"] as? Int == 3, "nothing was stored twice")
    }
  }

  @Test func `a message is read from the room's past, with the id its backend gave`() async throws {
    try await withAPI { node in
      var backend = try TestClient(port: node.port)
      for number in 1...3 {
        _ = try backend.ask("/api/publish", #"{"room":"quiet","payload":\#(number),"id":"i-\#(number)"}"#)
      }
      let past = try backend.ask("/api/rooms/quiet/history?limit=2")
      let messages = try #require(past["messages"] as? [[String: Any]])
      #expect(messages.map { $0["payload"] as? Int } == [2, 3])
      #expect(messages.map { $0["client_id"] as? String } == ["i-2", "i-3"])
      var anna = try TestClient.chat(node, "anna")
      try anna.sendFrame(#"{"type":"join_room","payload":{"room_id":"quiet","history":10}}"#)
      _ = try anna.skip { $0.text.contains("room_info") }
      #expect(try anna.hear()["payload"] as? Int == 1)
    }
  }

  @Test(arguments: [1, 3])
  func `everybody gets a chat`(shards: Int) async throws {
    try await withAPI({ $0.shards = shards }) { node in
      var anna = try TestClient.chat(node, "anna")
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      var backend = try TestClient(port: node.port)
      let answer = try backend.ask("/api/broadcast", #"{"payload":{"text":"hi"},"sender":{"id":"42","name":"Host"}}"#)
      #expect(answer["recipients"] as? Int == 2 && answer["partial"] == nil)
      for chat in [try anna.hear(), try ben.hear()] {
        #expect(chat["type"] as? String == "chat" && chat["sender_id"] as? Int == 42)
      }
      #expect(try backend.ask("/api/broadcast", #"{"title":"T","body":"B"}"#)["recipients"] as? Int == 2)
      for note in [try anna.hear(), try ben.hear()] {
        #expect(note["type"] as? String == "notification")
        #expect(note["payload"] as? [String: String] == ["title": "T", "body": "B"])
      }
      _ = try backend.ask("/api/broadcast", #"{"payload":1}"#)
      #expect(try anna.hear()["sender"] == nil)
    }
  }

  @Test(arguments: [1, 3])
  func `a user's connections get what is sent to him, and nobody else`(shards: Int) async throws {
    try await withAPI({ $0.shards = shards }) { node in
      var phone = try TestClient.chat(node, "anna b")
      var laptop = try TestClient.chat(node, "anna b")
      var ben = try TestClient.chat(node, "ben")
      var backend = try TestClient(port: node.port)
      #expect(try backend.ask("/api/users/anna%20b/send", #"{"payload":1}"#)["recipients"] as? Int == 2)
      #expect(
        try backend.ask("/api/users/anna%20b/notify", #"{"title":"T","body":"B"}"#)["recipients"] as? Int == 2)
      #expect(try backend.ask("/api/users/nobody/send", #"{"payload":1}"#)["recipients"] as? Int == 0)
      for client in 0..<2 {
        let first = try client == 0 ? phone.hear() : laptop.hear()
        #expect(first["type"] as? String == "private" && first["recipient_id"] as? String == "anna b")
        #expect(first["sender"] == nil && first["sender_id"] == nil)
        #expect(try (client == 0 ? phone.hear() : laptop.hear())["type"] as? String == "notification")
      }
      try ben.sendFrame(#"{"type":"ping"}"#)
      #expect(try ben.hear()["type"] as? String == "pong")
    }
  }

  @Test func `messages have a rate of their own`() async throws {
    try await withAPI({ $0.limits.apiMessagesPerSecond = 3 }) { node in
      var backend = try TestClient(port: node.port)
      var refused: TestClient.Answer?
      try eventually("a refusal") {
        try backend.call("/api/publish", #"{"room":"r","payload":1}"#)
        let answer = try backend.answer()
        if answer?.status == 429 { refused = answer }
        return answer?.status != 200
      }
      #expect(refused?.header("retry-after") == "1")
      _ = try backend.ask("/api/rooms")
      try backend.call("/api/users/anna/disconnect")
      #expect(try backend.answer()?.status == 200)
      try backend.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try backend.answer()?.body.contains(#"roost_api_refused_total{reason="too_often"} 1"#) == true)
    }
  }

  @Test func `while Redis is away nothing is sent and nothing is known`() async throws {
    try await withAPI({ $0.redisURL = "redis://127.0.0.1:1" }) { node in
      var backend = try TestClient(port: node.port)
      let calls: [(path: String, body: String?)] = [
        ("/api/publish", #"{"room":"r","payload":1}"#), ("/api/broadcast", #"{"payload":1}"#),
        ("/api/users/u/send", #"{"payload":1}"#), ("/api/users/u/notify", #"{"title":"t","body":"b"}"#),
        ("/api/rooms", nil), ("/api/rooms/r", nil), ("/api/rooms/r/history", nil), ("/api/users/u", nil),
        ("/api/nodes", nil),
      ]
      for (path, body) in calls {
        try backend.call(path, body, method: body == nil ? "GET" : "POST")
        let answer = try #require(try backend.answer())
        #expect(answer.status == 503, "\(path)")
        #expect(answer.header("retry-after") != nil, "\(path)")
      }
      // What the node knows by itself it tells all the same.
      _ = try backend.ask("/api/slow")
    }
  }
}
