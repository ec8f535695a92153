import RoostServer
import RoostTesting
import Testing

/// A node whose Redis goes and comes back, as its clients and operators see it.
@Suite("Degraded", .serialized, .timeLimit(.minutes(20)))
struct DegradedTests {
  private func get(_ target: String, _ node: Node) throws -> TestClient.Answer {
    var client = try TestClient(port: node.port)
    try client.send("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
    return try #require(try client.answer())
  }

  private func isStatus(_ isDegraded: Bool) -> (TestClient.Frame) -> Bool {
    { $0.text == #"{"type":"relay_status","payload":{"degraded":\#(isDegraded)}}"# }
  }

  @Test(arguments: [1, 3])
  func `clients and operators are told when Redis goes and when it is back`(shards: Int) async throws {
    let redis = try RedisServer()
    let configuration = configured {
      $0.shards = shards
      $0.redisURL = redis.url
      $0.redisPrefix = "t:"
    }
    try await withNode(configuration) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      // Connections are told a moment after they came.
      try eventually("the cluster knows of her") {
        let online = try get("/ws/online", node)
        return online.header("roost-scope") == nil && online.body.contains(#""online":1"#)
      }
      redis.kill()
      #expect(try anna.skip(to: isStatus(true)) != nil)
      var ben = try TestClient.chat(node, "ben")
      #expect(try ben.skip(to: isStatus(true)) != nil)

      let online = try get("/ws/online", node)
      #expect(online.status == 200 && online.header("roost-scope") == "node")
      #expect(online.body == #"{"online":2,"users":2,"nodes":1}"#)
      let verbose = try get("/ws/online?verbose", node).body
      for part in [
        #""scope":"node""#, #""relay":"degraded""#, #""trouble":""#, #""last_known":{"online":1"#, #""age_ms":"#,
      ] { #expect(verbose.contains(part), "\(part) in \(verbose)") }
      for line in [
        #"roost_relay_state{state="degraded"} 1"#, #"roost_relay_state{state="connected"} 0"#,
        #"roost_relay_trouble{reason="unreachable"} 1"#, #"roost_relay_trouble{reason="out_of_memory"} 0"#,
        #"roost_relay_refused_total{reason="out_of_memory"} 0"#,
      ] { try eventually(line) { try get("/metrics", node).body.contains(line) } }
      #expect(try get("/ws/online?verbose", node).body.contains(#""trouble":"unreachable""#))
      #expect(try get("/readyz", node).status == 200)

      // Nobody is told that it was done, and everybody when to ask again.
      try anna.say("lost", in: "lobby", id: "l")
      try ben.sendFrame(#"{"type":"join_room","room":"lobby","id":"j"}"#)
      for text in [try anna.talk(), try ben.talk()] {
        #expect(text.contains(#""RELAY_UNAVAILABLE""#) && text.contains(#""retry_after_ms":"#), "\(text)")
      }
      try redis.start()
      #expect(try anna.skip(to: isStatus(false)) != nil)
      try anna.say("hi", in: "lobby", id: "x")
      let answer = try anna.skip { $0.text.contains(#""ack""#) || $0.text.contains(#""error""#) }
      #expect(answer?.text.contains(#""ack""#) == true)
      try eventually("no trouble any more") {
        try get("/metrics", node).body.contains(#"roost_relay_trouble{reason="unreachable"} 0"#)
      }
    }
  }

  @Test func `with degraded=local the node's own members get marked messages`() async throws {
    let redis = try RedisServer()
    let configuration = configured {
      $0.redisURL = redis.url
      $0.deliversWhenDegraded = true
    }
    try await withNode(configuration) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      redis.kill()
      #expect(try anna.skip(to: isStatus(true)) != nil)
      try anna.say("hi", in: "lobby", id: "x")
      let copy = try ben.skip { $0.text.contains(#""new_message""#) }
      #expect(copy?.text.contains(#""degraded":true"#) == true && copy?.text.contains("offset") == false)
      let answer = try anna.skip { $0.text.contains(#""error""#) || $0.text.contains(#""ack""#) }
      #expect(answer?.text.contains("RELAY_UNAVAILABLE") == true && answer?.text.contains("this node only") == true)
    }
  }
}
