import Foundation
import RoostServer
import RoostTesting
import Telemetry
import Testing

/// A client that loses its socket and comes back to another node, through a real Redis.
@Suite("Recovery", .serialized, .timeLimit(.minutes(20)))
struct RecoveryTests {
  private struct Message: Decodable {
    struct Payload: Decodable {
      var epoch: String?
      var offset: Int?
      var recovered: Bool?
      var reason: String?
      var content: String?
      var messages: [Message]?
    }
    var type: String
    var payload: Payload?
    var offset: Int?
    var client_id: String?
    var id: String?
  }

  private func message(_ text: String) throws -> Message {
    try JSONDecoder().decode(Message.self, from: Data(text.utf8))
  }

  private func nodes(_ redis: RedisServer, _ names: [String]) throws -> [Node] {
    try names.map { name in
      let node = try Node(
        configured {
          $0.redisURL = redis.url
          $0.nodeID = name
        }, log: Log(level: .error))
      node.start()
      return node
    }
  }

  @Test func `exactly the missed messages follow on another node, in order`() async throws {
    let redis = try RedisServer()
    let nodes = try nodes(redis, ["one", "two"])
    var anna = try TestClient.chat(nodes[0], "anna", rooms: ["lobby"])
    var epoch = ""
    var seen = 0
    do {
      var ben = try TestClient.chat(nodes[0], "ben", rooms: ["lobby"])
      for number in 1...3 { try anna.say("m\(number)", in: "lobby", id: "a\(number)") }
      for number in 1...3 {
        let text = try message(ben.talk())
        #expect(text.payload?.content == "m\(number)")
        seen = try #require(text.offset)
      }
      try ben.say("m4", in: "lobby", id: "b4")
      let ack = try message(ben.talk())
      (epoch, seen) = (try #require(ack.payload?.epoch), try #require(ack.offset))
    }
    for number in 5...9 { try anna.say("m\(number)", in: "lobby", id: "a\(number)") }
    for _ in 1...9 { _ = try anna.talk() }  // eight acks and one message: all are stored

    var ben = try TestClient.chat(nodes[1], "ben")
    try ben.sendFrame(
      #"{"type":"join_room","payload":{"room_id":"lobby","since":{"epoch":"\#(epoch)","offset":\#(seen - 1)}}}"#)
    let info = try message(ben.talk())
    #expect(info.type == "room_info" && info.payload?.recovered == true && info.payload?.offset == seen - 1)
    for number in 4...9 {
      let text = try message(ben.talk())
      #expect(text.payload?.content == "m\(number)" && text.offset == number)
      #expect(text.client_id == (number == 4 ? "b4" : nil), "only his own carry his id")
    }
    try anna.say("m10", in: "lobby", id: "a10")
    #expect(try message(ben.talk()).offset == 10, "then live, without a gap")

    try ben.sendFrame(#"{"type":"history","id":"h","payload":{"room_id":"lobby","limit":3,"before":10}}"#)
    let history = try message(ben.talk())
    #expect(history.type == "history" && history.id == "h" && history.payload?.epoch == epoch)
    #expect(history.payload?.messages?.map(\.payload?.content) == ["m7", "m8", "m9"])
    try ben.sendFrame(#"{"type":"join_room","payload":{"room_id":"lobby","since":{"epoch":"x","offset":1}}}"#)
    let refused = try message(ben.talk())
    #expect(refused.payload?.recovered == false && refused.payload?.reason == "epoch_changed")
    for node in nodes { await node.stop() }
  }

  @Test func `a node that has just come asks Redis once for all who return`() async throws {
    let redis = try RedisServer()
    let first = try nodes(redis, ["one"])[0]
    var epoch = ""
    do {
      var anna = try TestClient.chat(first, "anna", rooms: ["lobby"])
      for number in 1...20 { try anna.say("m\(number)", in: "lobby", id: "a\(number)") }
      for _ in 1...20 { epoch = try #require(try message(anna.talk()).payload?.epoch) }
    }
    await first.stop()
    let second = try nodes(redis, ["two"])[0]
    for client in 0..<10 {
      var returner = try TestClient.chat(second, "user-\(client)")
      let since = 20 - client
      try returner.sendFrame(
        #"{"type":"join_room","payload":{"room_id":"lobby","since":{"epoch":"\#(epoch)","offset":\#(since)}}}"#)
      #expect(try message(returner.talk()).payload?.recovered == true)
      for offset in stride(from: since + 1, through: 20, by: 1) {
        #expect(try message(returner.talk()).payload?.content == "m\(offset)")
      }
    }
    await second.stop()
  }
}
