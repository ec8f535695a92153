import RoostServer
import RoostTesting
import Testing
import Tokens

/// New tokens of open connections whose keys are on their way, or are not to be had.
@Suite("Refreshing by a key set", .timeLimit(.minutes(20)))
struct KeySetRefreshTests {
  private static func refresh(_ token: String, id: String) -> String {
    #"{"type":"refresh_token","id":"\#(id)","payload":{"token":"\#(token)"}}"#
  }

  private static func refused(_ id: String) -> String {
    #"{"type":"error","payload":{"code":"FORBIDDEN","message":"not allowed"},"id":"\#(id)"}"#
  }

  private static let ping = #"{"type":"ping","id":"p"}"#

  @Test(arguments: [1, 3])
  func `a new token waits for its key, and its connection does not`(shards: Int) async throws {
    try await KeySetTests.withKeys(KeySetTests.oldSet, "held", shards: shards) { node, server throws in
      var ann = try TestClient.chat(node, "ann", rooms: ["lobby"])
      try ann.sendFrame(Self.refresh(KeySetTests.token(), id: "r"))
      try ann.sendFrame(Self.ping)
      #expect(try ann.talk().contains(#""pong""#))
      try server.release()
      let ack = try ann.talk()
      #expect(ack.hasPrefix(#"{"type":"ack""#) && ack.hasSuffix(#""left":[]},"id":"r"}"#), "\(ack)")
    }
  }

  @Test func `another user's, or a stranger's, is refused when the key is there`() async throws {
    try await KeySetTests.withKeys(KeySetTests.oldSet, "held") { node, server throws in
      var ann = try TestClient.chat(node, "ann")
      var ben = try TestClient.chat(node, "ben")
      try ann.sendFrame(Self.refresh(KeySetTests.token(KeySetTests.new), id: "r"))
      try ben.sendFrame(Self.refresh(KeySetTests.token(), id: "r"))
      for isAnn in [true, false] {
        // One shard, one order: the token was looked at when the pong comes.
        if isAnn { try ann.sendFrame(Self.ping) } else { try ben.sendFrame(Self.ping) }
        #expect(try (isAnn ? ann.talk() : ben.talk()).contains(#""pong""#))
      }
      try server.release()
      #expect(try ann.talk() == Self.refused("r"))
      #expect(try ben.talk() == Self.refused("r"))
    }
  }

  @Test func `the last of several counts`() async throws {
    try await KeySetTests.withKeys(KeySetTests.oldSet, "held") { node, server throws in
      var ann = try TestClient.chat(node, "ann", rooms: ["lobby"])
      try ann.sendFrame(Self.refresh(KeySetTests.token(), id: "first"))
      try ann.sendFrame(Self.refresh(RoostServerTests.token("ann", rooms: .init(join: [])), id: "second"))
      #expect(try ann.talk() == Self.refused("first"))
      #expect(try ann.talk().hasSuffix(#""left":["lobby"]},"id":"second"}"#))
      try server.release()
      _ = try ann.talk()  // the room is left
      #expect(try KeySetTests.status(node, KeySetTests.token(user: "ben")) == 101, "the keys are there")
      try ann.sendFrame(#"{"type":"join_room","id":"j","room":"lobby"}"#)
      #expect(try ann.talk().contains("FORBIDDEN"))
    }
  }

  @Test func `few wait, and who is gone waits no longer`() async throws {
    try await KeySetTests.withKeys(KeySetTests.oldSet, "held", { settings, _ in settings.tokens.waitingHandshakes = 1 })
    {
      node, server throws in
      var ben = try TestClient.chat(node, "ben")
      do {
        var ann = try TestClient.chat(node, "ann")
        try ann.sendFrame(Self.refresh(KeySetTests.token(), id: "r"))
        try ann.sendFrame(Self.ping)
        #expect(try ann.talk().contains(#""pong""#))
        try ben.sendFrame(Self.refresh(KeySetTests.token(user: "ben"), id: "r"))
        #expect(try ben.talk() == Self.refused("r"))
        #expect(try KeySetTests.status(node, KeySetTests.token()) == 503, "handshakes share the places")
        try ann.send(TestClient.frame([0x03, 0xE8], opcode: 8))
        #expect(try ann.frame()?.closeCode == 1000)
        #expect(try ann.isAtEnd())
      }
      // Each try asks for a place; the one that is free now lets it wait.
      try ben.sendFrame(Self.refresh(KeySetTests.token(user: "ben"), id: "again"))
      try ben.sendFrame(Self.ping)
      #expect(try ben.talk().contains(#""pong""#))
      try server.release()
      #expect(try ben.talk().hasPrefix(#"{"type":"ack""#))
    }
  }

  /// The node's lack of keys is no fault of its clients.
  @Test func `where no keys come the token is refused, and that is no offence`() async throws {
    try await KeySetTests.withKeys(KeySetTests.oldSet, "error") { node, _ throws in
      var ann = try TestClient.chat(node, "ann")
      for number in 0..<5 {
        try ann.sendFrame(Self.refresh(KeySetTests.token(), id: "\(number)"))
        #expect(try ann.talk() == Self.refused("\(number)"))
      }
      // Nine texts that are no JSON are put up with: the five did not count.
      for _ in 0..<9 {
        try ann.sendFrame("nonsense")
        #expect(try ann.talk().contains("INVALID_FORMAT"))
      }
      try ann.sendFrame(Self.ping)
      #expect(try ann.talk().contains(#""pong""#))
    }
  }
}
