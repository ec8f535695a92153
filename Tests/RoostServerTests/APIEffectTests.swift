import Glibc
import RoostServer
import RoostTesting
import Testing
import Tokens

/// What calls to the API bring about.
@Suite("API: what comes of it", .timeLimit(.minutes(20)))
struct APIEffectTests {
  private static func refused(_ node: Node, _ token: String) throws -> Bool {
    var client = try TestClient(port: node.port)
    try client.send(TestClient.upgradeRequest("/ws?token=\(token)"))
    return try client.answer()?.status == 401
  }

  @Test(arguments: [1, 3])
  func `the first that a node hears may be a call`(shards: Int) async throws {
    try await withAPI({ $0.shards = shards }) { node in
      var backend = try TestClient(port: node.port)
      try backend.call(APITests.revoke, #"{"user_id":"anna"}"#)
      #expect(try backend.answer()?.status == 200)
    }
  }

  @Test(arguments: [1, 3])
  func `a user's tokens are revoked`(shards: Int) async throws {
    try await withAPI({ $0.shards = shards }) { node in
      let old = try token("anna")
      var anna = try TestClient(port: node.port)
      try anna.upgrade("/ws?token=\(old)")
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      var backend = try TestClient(port: node.port)
      try backend.call(APITests.revoke, #"{"user_id":"anna"}"#)
      #expect(try backend.answer()?.status == 200)
      #expect(try anna.skip { $0.opcode == 8 }?.closeCode == 4501)
      #expect(try Self.refused(node, old))
      try ben.sendFrame(#"{"type":"ping","id":"still-here"}"#)
      #expect(try ben.talk().contains("still-here"))
    }
  }

  @Test func `one token is revoked and its user's others are not`() async throws {
    try await withAPI { node in
      func token(_ id: String) throws -> String {
        try TokenMinter(secret: testSecret).mint(
          Claims(userID: "anna", expiresAt: Int64(time(nil)) + 3_600, tokenID: id))
      }
      var phone = try TestClient(port: node.port)
      var laptop = try TestClient(port: node.port)
      try phone.upgrade("/ws?token=\(token("phone"))")
      try laptop.upgrade("/ws?token=\(token("laptop"))")
      var backend = try TestClient(port: node.port)
      try backend.call(APITests.revoke, #"{"token_id":"phone"}"#)
      #expect(try backend.answer()?.status == 200)
      #expect(try phone.skip { $0.opcode == 8 }?.closeCode == 4501)
      #expect(try Self.refused(node, token("phone")))
      try laptop.sendFrame(#"{"type":"ping","id":"still-here"}"#)
      #expect(try laptop.talk().contains("still-here"))
    }
  }

  @Test(arguments: [1, 3])
  func `a user is disconnected with a reason`(shards: Int) async throws {
    try await withAPI({ $0.shards = shards }) { node in
      var phone = try TestClient.chat(node, "anna b")
      var laptop = try TestClient.chat(node, "anna b")
      var backend = try TestClient(port: node.port)
      try backend.call("/api/users/anna%20b/disconnect", #"{"reason":"maintenance"}"#)
      #expect(try backend.answer()?.body == #"{"connections":2}"#)
      for frame in [try phone.skip { $0.opcode == 8 }, try laptop.skip { $0.opcode == 8 }] {
        #expect(frame?.closeCode == 4500)
        #expect(frame.map { String(decoding: $0.payload.dropFirst(2), as: UTF8.self) } == "maintenance")
      }
      try backend.call("/api/users/anna%20b/disconnect")
      #expect(try backend.answer()?.body == #"{"connections":0}"#)
    }
  }

  @Test func `an admin whose token is revoked calls no more`() async throws {
    try await withAPI { node in
      let admin = "Bearer " + (try token("root", role: "admin"))
      var client = try TestClient(port: node.port)
      try client.call(APITests.revoke, #"{"user_id":"root"}"#, authorization: admin)
      #expect(try client.answer()?.status == 200)
      try client.call("/api/users/anna/disconnect", authorization: admin)
      #expect(try client.answer()?.status == 401)
      #expect(try client.isAtEnd())
    }
  }

  @Test func `while Redis is away a backend is told that not all nodes know`() async throws {
    try await withAPI({ $0.redisURL = "redis://127.0.0.1:1" }) { node in
      var anna = try TestClient.chat(node, "anna")
      var backend = try TestClient(port: node.port)
      for call in ["/api/users/anna/disconnect", APITests.revoke] {
        try backend.call(call, call == APITests.revoke ? #"{"user_id":"anna"}"# : nil)
        let answer = try #require(try backend.answer())
        #expect(answer.status == 503)
        #expect(answer.header("retry-after") != nil)
      }
      #expect(try anna.skip { $0.opcode == 8 }?.closeCode == 4500)
      #expect(try Self.refused(node, token("anna")))
    }
  }
}
