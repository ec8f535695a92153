import RoostServer
import RoostTesting
import Testing
import Tokens

/// User ids that look the same and differ in their bytes are two users: whoever may choose an id must not become
/// somebody else by it.
@Suite("Lookalikes", .timeLimit(.minutes(20)))
struct LookalikeTests {
  static let anna = "Zo\u{EB}"
  /// The same to the eye, and to a comparison of Swift's texts.
  static let eve = "Zoe\u{308}"

  private static func says(_ text: String, sender: String) -> Bool {
    let id = #""sender":{"id":"\#(sender)""#
    return Array(text.utf8).split(separator: Array(id.utf8)).count == 2
  }

  @Test func `they look the same`() { #expect(Self.anna == Self.eve && !Self.anna.utf8.elementsEqual(Self.eve.utf8)) }

  @Test(arguments: [(1, false), (3, false), (1, true)])
  func `each is himself, whoever comes first`(shards: Int, hasRedis: Bool) async throws {
    let redis = hasRedis ? try RedisServer() : nil
    let configuration = configured {
      $0.shards = shards
      $0.redisURL = redis?.url ?? ""
      $0.limits.connectionsPerUser = 1
    }
    try await withNode(configuration) { node in
      var anna = try TestClient.chat(node, Self.anna, rooms: ["lobby"])
      var eve = try TestClient.chat(node, Self.eve)
      try eve.sendFrame(#"{"type":"join_room","room":"lobby"}"#)
      let info = try #require(try eve.skip { $0.text.contains(#""room_info""#) }).text
      #expect(info.contains(#""count":2"#), "\(info)")
      let joined = try #require(try anna.skip { $0.text.contains(#""user_joined""#) }).text
      #expect(Self.says(joined, sender: Self.eve))

      // Both give their messages the same id: neither is the other's repeat.
      for isAnna in [true, false] {
        if isAnna { try anna.say("hi", in: "lobby", id: "1") } else { try eve.say("hi", in: "lobby", id: "1") }
        let ack = isAnna ? try anna.talk() : try eve.talk()
        let heard = isAnna ? try eve.talk() : try anna.talk()
        #expect(ack.contains(#""ack""#) && !ack.contains("dup"), "\(ack)")
        #expect(Self.says(heard, sender: isAnna ? Self.anna : Self.eve) && !heard.contains("client_id"), "\(heard)")
      }
      // A private message reaches the one, and not the other.
      var ben = try TestClient.chat(node, "ben")
      try ben.sendFrame(#"{"type":"private","recipient_id":"\#(Self.anna)","payload":"for her","id":"p"}"#)
      #expect(try anna.talk().contains("for her"))
      // A node that is busy may answer itself too late, and the message has come all the same.
      let ack = try ben.talk()
      #expect(ack.contains(#""recipients":1"#) || hasRedis && ack.contains(#""partial":true"#), "\(ack)")
      try eve.sendFrame(#"{"type":"refresh_token","id":"r","payload":{"token":"\#(token(Self.anna))"}}"#)
      #expect(try eve.talk().contains("FORBIDDEN"))
      var watcher = try TestClient(port: node.port)
      if !hasRedis {
        try eventually("three users") { try watcher.page("/ws/online")?.body.contains(#""users":3"#) == true }
      }
    }
  }
}
