import Glibc
import RealtimeCore
import RoostServer
import RoostTesting
import Telemetry
import Testing
import Tokens

/// Tokens taken back, on nodes that share a Redis.
@Suite("Revocation", .serialized, .timeLimit(.minutes(20)))
struct RevocationTests {
  private let end = Int64(time(nil)) + 3_600

  private func token(_ user: String, id: String? = nil, issuedAt: Int64? = nil) throws -> String {
    try TokenMinter(secret: testSecret).mint(
      Claims(userID: user, expiresAt: end, issuedAt: issuedAt, tokenID: id))
  }

  private func connect(_ node: Node, _ token: String) throws -> TestClient {
    var client = try TestClient(port: node.port)
    try client.upgrade("/ws?token=\(token)")
    return client
  }

  private func isTurnedAway(_ node: Node, _ token: String) throws -> Bool {
    var client = try TestClient(port: node.port)
    try client.send(TestClient.upgradeRequest("/ws?token=\(token)"))
    let answer = try #require(try client.answer())
    return answer.status == 401 && answer.body == #"{"error":"\#(HandshakeTableTests.unauthorized)"}"#
  }

  private func metric(_ name: String, _ node: Node) throws -> String? {
    var client = try TestClient(port: node.port)
    try client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    let body = try #require(try client.answer()).body
    return body.split(separator: "\n").first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
  }

  /// Two nodes, one of them with several shards, and a third in the test's hand.
  private func withCluster(
    _ redis: RedisServer, _ body: (Node, Node, inout HubUnderTest) throws -> Void
  ) async throws {
    let configuration = configured { $0.redisURL = redis.url }
    var several = configuration
    several.shards = 3
    let two = try Node(several, log: Log(level: .error))
    two.start()
    do {
      try await withNode(configuration) { one in
        var third = try HubUnderTest(configuration)
        try third.join()
        for node in [one, two] {
          try eventually("all are read") { try metric("roost_revocations_age_seconds", node)?.hasPrefix("-") == false }
        }
        try body(one, two, &third)
      }
    } catch {
      await two.stop()
      throw error
    }
    await two.stop()
  }

  @Test func `a revoked token's connections end on all nodes, and it opens none again`() async throws {
    let redis = try RedisServer()
    try await withCluster(redis) { one, two, third in
      let revoked = try token("anna", id: "stolen")
      var first = try connect(one, revoked)
      var second = try connect(two, revoked)
      var other = try connect(two, token("anna", id: "kept"))
      let answer = try third.ask { .revoke($0, [Revocation.token("stolen", until: end)!]) }
      #expect(answer == .revoked)
      for isFirst in [true, false] {
        let close = isFirst ? try first.skip { $0.opcode == 8 } : try second.skip { $0.opcode == 8 }
        #expect(close?.closeCode == 4501)
        #expect(String(decoding: close?.payload.dropFirst(2) ?? [], as: UTF8.self) == "revoked")
      }
      for node in [one, two] { #expect(try isTurnedAway(node, revoked)) }
      try other.sendFrame(#"{"type":"refresh_token","payload":{"token":"\#(revoked)"}}"#)
      #expect(try other.text().contains("FORBIDDEN"))
      try eventually("it is known") { try metric("roost_revocations", one) == "1" }
    }
  }

  @Test func `a user's older tokens end, a new one is welcome`() async throws {
    let redis = try RedisServer()
    try await withCluster(redis) { one, two, third in
      let now = Int64(time(nil))
      var old = try connect(one, token("anna", issuedAt: now - 10))
      var timeless = try connect(two, token("anna"))
      var new = try connect(two, token("anna", issuedAt: now + 5))
      var ben = try connect(one, token("ben", issuedAt: now - 10))
      _ = try third.ask { .revoke($0, [Revocation.user("anna", issuedUntil: now, until: end)!]) }
      #expect(try old.skip { $0.opcode == 8 }?.closeCode == 4501)
      #expect(try timeless.skip { $0.opcode == 8 }?.closeCode == 4501)
      #expect(try isTurnedAway(two, token("anna", issuedAt: now - 1)))
      try new.sendFrame(#"{"type":"ping"}"#)
      try ben.sendFrame(#"{"type":"ping"}"#)
      #expect(try new.text().contains("pong"))
      #expect(try ben.text().contains("pong"))
    }
  }

  @Test func `nodes whose listening ends at that moment hear of it all the same`() async throws {
    let redis = try RedisServer()
    try await withCluster(redis) { one, two, third in
      for round in 0..<5 {
        let revoked = try token("anna", id: "t\(round)")
        var first = try connect(one, revoked)
        var second = try connect(two, revoked)
        try redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
        try eventually("stored") {
          try third.ask(isAwake: true) { .revoke($0, [Revocation.token("t\(round)", until: end)!]) } == .revoked
        }
        #expect(try first.skip { $0.opcode == 8 }?.closeCode == 4501)
        #expect(try second.skip { $0.opcode == 8 }?.closeCode == 4501)
        for node in [one, two] { #expect(try isTurnedAway(node, revoked)) }
        try third.turn { $0.relayState == .connected }
      }
    }
  }

  @Test func `a Redis that comes back empty is told what the nodes know`() async throws {
    let redis = try RedisServer()
    try await withCluster(redis) { one, two, third in
      let revoked = try token("anna", id: "stolen")
      _ = try third.ask { .revoke($0, [Revocation.token("stolen", until: end)!]) }
      for node in [one, two] { try eventually("it is known") { try metric("roost_revocations", node) == "1" } }
      redis.kill()
      #expect(try isTurnedAway(one, revoked), "the last copy holds")
      try redis.start()
      // The hand that revoked it rests: the others must remember.
      try eventually("Redis is told") { try redis.ask("HGET", "ws:revoked", "tstolen") != "\n" }
      for node in [one, two] { #expect(try isTurnedAway(node, revoked)) }
      // Who comes new to the cluster learns it too.
      var fourth = try HubUnderTest(configured { $0.redisURL = redis.url })
      try fourth.turn { $0.revocations == 1 }
    }
  }

  @Test func `a backend closes a user's connections everywhere, with its own words`() async throws {
    let redis = try RedisServer()
    try await withCluster(redis) { one, two, third in
      var first = try TestClient.chat(one, "anna")
      var second = try TestClient.chat(two, "anna")
      var ben = try TestClient.chat(two, "ben")
      try third.turn { _ in true }
      // Nodes have half a second to tell how many they closed, and do so in any case.
      let answer = try third.ask { .disconnectUser($0, user: "anna", reason: "come back tomorrow") }
      guard case .disconnected(let count, let isPartial) = answer, count == 2 || isPartial && count < 2 else {
        throw TestClient.Failure.malformed
      }
      for isFirst in [true, false] {
        let close = isFirst ? try first.skip { $0.opcode == 8 } : try second.skip { $0.opcode == 8 }
        #expect(close?.closeCode == 4500)
        #expect(String(decoding: close?.payload.dropFirst(2) ?? [], as: UTF8.self) == "come back tomorrow")
      }
      try ben.sendFrame(#"{"type":"ping"}"#)
      #expect(try ben.text().contains("pong"))
    }
  }
}
