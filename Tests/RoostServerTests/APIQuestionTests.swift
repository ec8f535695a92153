import Foundation
import RoostServer
import RoostTesting
import Testing

/// What backends and operators ask, on one node.
@Suite("API: questions", .timeLimit(.minutes(20)))
struct APIQuestionTests {
  @Test(arguments: [1, 3])
  func `rooms come by name, page by page`(shards: Int) async throws {
    try await withAPI({ $0.shards = shards }) { node in
      let names = (0..<25).map { "room-\($0)" }.shuffled()
      let anna = try TestClient.chat(node, "anna", rooms: names)
      let ben = try TestClient.chat(node, "ben", rooms: ["room-7"])
      var backend = try TestClient(port: node.port)
      var (found, after): ([[String: Any]], String?) = ([], nil)
      repeat {
        let page = try backend.ask("/api/rooms?limit=10" + (after.map { "&after=\($0)" } ?? ""))
        #expect(page["partial"] == nil)
        found += try #require(page["rooms"] as? [[String: Any]])
        after = page["next"] as? String
      } while after != nil
      #expect(found.map { $0["room"] as? String } == names.sorted())
      for room in found { #expect(room["count"] as? Int == (room["room"] as? String == "room-7" ? 2 : 1)) }
      let areThere = anna.isOpen && ben.isOpen
      #expect(areThere)
    }
  }

  @Test func `a room without members is none`() async throws {
    try await withAPI { node in
      var backend = try TestClient(port: node.port)
      _ = try backend.ask("/api/publish", #"{"room":"quiet","payload":1}"#)
      #expect(try (backend.ask("/api/rooms")["rooms"] as? [Any])?.isEmpty == true)
      let quiet = try backend.ask("/api/rooms/quiet")
      #expect(quiet["count"] as? Int == 0 && quiet["offset"] as? Int == 1 && quiet["epoch"] is String)
      let unknown = try backend.ask("/api/rooms/unknown")
      #expect(unknown["count"] as? Int == 0 && unknown["epoch"] == nil)
      #expect(try (backend.ask("/api/rooms/unknown/history")["messages"] as? [Any])?.isEmpty == true)
    }
  }

  @Test func `members, where a user is, and the node`() async throws {
    try await withAPI { node in
      let first = try TestClient.chat(node, "an\"na", rooms: ["lobby"])
      let second = try TestClient.chat(node, "an\"na", rooms: ["lobby"])
      let other = try TestClient.chat(node, "ben", rooms: ["lobby"])
      var backend = try TestClient(port: node.port)
      let room = try backend.ask("/api/rooms/lobby")
      #expect(room["count"] as? Int == 2)
      let members = try #require(room["members"] as? [[String: String]])
      #expect(Set(members.compactMap { $0["id"] }) == ["an\"na", "ben"])
      let user = try backend.ask("/api/users/ben")
      #expect(user["online"] as? Bool == true && user["connections"] as? Int == 1)
      let nobody = try backend.ask("/api/users/nobody")
      #expect(nobody["online"] as? Bool == false && nobody["connections"] as? Int == 0)
      let nodes = try #require(try backend.ask("/api/nodes")["nodes"] as? [[String: Any]])
      #expect(nodes.count == 1)
      #expect(nodes[0]["state"] as? String == "ready" && nodes[0]["connections"] as? Int == 3)
      #expect(nodes[0]["address"] as? String == "127.0.0.1:\(node.port)")
      #expect(nodes[0]["version"] as? String == Release.version)
      let named = (user["nodes"] as? [[String: Any]])?.compactMap { $0["node"] as? String }
      #expect(named == nodes.compactMap { $0["node"] as? String })
      let areThere = first.isOpen && second.isOpen && other.isOpen
      #expect(areThere)
    }
  }

  @Test func `messages before an offset`() async throws {
    try await withAPI { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      for number in 1...5 {
        try anna.say("m\(number)", in: "lobby", id: "i-\(number)")
        _ = try anna.talk()
      }
      var backend = try TestClient(port: node.port)
      let past = try backend.ask("/api/rooms/lobby/history?limit=2&before=4")
      let messages = try #require(past["messages"] as? [[String: Any]])
      #expect(messages.map { $0["offset"] as? Int } == [2, 3])
      #expect(messages.allSatisfy { $0["client_id"] == nil }, "what a client's id was is its own")
      #expect(messages[0]["sender"] as? [String: String] == ["id": "anna", "name": "anna"])
    }
  }

  @Test func `who reads nothing is among the slowest`() async throws {
    try await withAPI({ ($0.limits.queueBytes, $0.limits.queueMessages) = (1 << 30, 1 << 20) }) { node in
      let deaf = try TestClient.chat(node, "deaf", rooms: ["lobby"], receiveBuffer: 4_096)
      var backend = try TestClient(port: node.port)
      let letters = String(repeating: "a", count: 50_000)
      // Until the socket takes no more, and the shard's next report says so.
      var (report, published): ([String: Any], Int) = ([:], 0)
      try eventually("a slow client") {
        if published < 400 { _ = try backend.ask("/api/publish", #"{"room":"lobby","payload":"\#(letters)"}"#) }
        published += 1
        report = try backend.ask("/api/slow")
        return report["clients"] as? Int ?? 0 > 0
      }
      let slowest = try #require((report["slowest"] as? [[String: Any]])?.first)
      #expect(slowest["address"] as? String == "127.0.0.1")
      #expect(slowest["bytes"] as? Int ?? 0 > 0)
      let isThere = deaf.isOpen
      #expect(isThere)
    }
  }

  @Test(arguments: [1, 3])
  func `the node shows its inside`(shards: Int) async throws {
    try await withAPI({ $0.shards = shards }) { node in
      let anna = try TestClient.chat(node, "anna", rooms: ["lobby", "hall"])
      var backend = try TestClient(port: node.port)
      // Whoever is in the hub is in its report at the end of the turn. How long the turn took is known after it.
      _ = try backend.ask("/api/nodes")
      var state: [String: Any] = [:]
      try eventually("a turn is over") {
        state = try backend.ask("/api/debug")
        return (state["loops"] as? [[String: Any]])?.contains { $0["turns"] as? Int ?? 0 > 0 } == true
      }
      #expect(state["relay"] as? String == "connected" && state["trouble"] == nil)
      let hub = try #require(state["hub"] as? [String: Int])
      #expect(hub["users"] == 1 && hub["rooms"] == 2 && hub["relay_queue"] == 0)
      let parts = try #require(state["shards"] as? [[String: Int]])
      #expect(parts.map { $0["shard"] } == Array(0..<shards))
      let loops = try #require(state["loops"] as? [[String: Any]])
      #expect(loops.map { $0["loop"] as? String } == (0..<shards).map(String.init) + (shards > 1 ? ["hub"] : []))
      #expect(loops.contains { $0["turns"] as? Int ?? 0 > 0 }, "whoever had nothing to do made none")
      let isThere = anna.isOpen
      #expect(isThere)
    }
  }

  @Test func `questions have a rate of their own`() async throws {
    try await withAPI({ $0.limits.apiQuestionsPerSecond = 2 }) { node in
      var backend = try TestClient(port: node.port)
      var statuses: [Int] = []
      try eventually("a refusal") {
        try backend.call("/api/nodes", method: "GET")
        statuses.append(try backend.answer()?.status ?? 0)
        return statuses.last != 200
      }
      #expect(statuses.last == 429 && statuses.count > 2)
      _ = try backend.ask("/api/publish", #"{"room":"r","payload":1}"#)
    }
  }
}
