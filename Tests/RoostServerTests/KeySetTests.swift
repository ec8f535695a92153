import Glibc
import RoostServer
import RoostTesting
import Telemetry
import Testing
import Tokens

/// Keys that a node fetches, and handshakes that wait for them. The server is a real one, by https.
@Suite("Key set at a URL", .timeLimit(.minutes(20)))
struct KeySetTests {
  static let (old, new, weak) = (TestKey(.p256), TestKey(.ed25519), TestKey(.rsa1024))
  static let oldSet = TestKey.set([old.jwk(id: "old")])
  static let bothSet = TestKey.set([old.jwk(id: "old"), new.jwk(id: "new")])

  static func token(_ key: TestKey = old, kid: String? = "old", user: String = "ann") throws -> String {
    let rules = TokenVerifier.Rules()
    return try TokenMinter(key: SigningKey(pem: key.privatePEM), keyID: kid, rules: rules).mint(
      Claims(userID: user, expiresAt: Int64(time(nil)) + 3_600))
  }

  /// Runs a node that fetches `path` of a server, which serves `keys`, for as long as `body` takes.
  static func withKeys(
    _ keys: String, _ path: String = "keys", shards: Int = 1, log: Log = Log(level: .error),
    _ change: (inout ServerConfiguration, KeyServer) -> Void = { _, _ in }, _ body: (Node, KeyServer) throws -> Void
  ) async throws {
    let server = try KeyServer(keys)
    defer { server.stop() }
    let configuration = configured {
      $0.tokens.jwksURL = server.url(path)
      $0.tokens.jwksCAFile = server.caFile
      $0.tokens.jwksMilliseconds = 120_000
      $0.shards = shards
      $0.limits.connectionsPerAddress = 10_000
      $0.limits.connectionsPerUser = 10_000
      change(&$0, server)
    }
    try await withNode(configuration, log: log) { try body($0, server) }
  }

  /// A client whose handshake is on its way.
  static func knock(_ node: Node, _ token: String) throws -> TestClient {
    let client = try TestClient(port: node.port)
    try client.send(TestClient.upgradeRequest("/ws", "Authorization: Bearer \(token)\r\n"))
    return client
  }

  static func status(_ node: Node, _ token: String) throws -> Int? {
    var client = try knock(node, token)
    return try client.answer()?.status
  }

  static func metrics(_ node: Node) throws -> String {
    var client = try TestClient(port: node.port)
    try client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    return try #require(try client.answer()).body
  }

  /// How often the set came. On a machine that is slow enough a fetch may be given up, and tried again.
  static func goodFetches(_ node: Node) throws -> Int? {
    let found = try metrics(node).firstMatch(of: /roost_key_set_fetches_total{outcome="good"} (\d+)/)
    return found.flatMap { Int($0.1) }
  }

  @Test func `a handshake waits for the first keys`() async throws {
    try await Self.withKeys(Self.oldSet) { node, server throws in
      #expect(try Self.status(node, Self.token()) == 101)
      #expect(try Self.status(node, Self.token(kid: nil)) == 101)
      #expect(try Self.status(node, Self.token(Self.new, kid: "old")) == 401)
      #expect(try Self.status(node, RoostServerTests.token("own")) == 101, "the secret is a key as before")
      #expect(try Self.goodFetches(node) == 1)
    }
  }

  @Test(arguments: [1, 3])
  func `a key that is added is found by one fetch, whoever asks`(shards: Int) async throws {
    try await Self.withKeys(Self.oldSet, shards: shards) { node, server throws in
      #expect(try Self.status(node, Self.token()) == 101)
      try server.replace(Self.bothSet)
      var clients: [ClientBox] = []
      for number in 0..<50 {
        clients.append(ClientBox(try Self.knock(node, Self.token(Self.new, kid: "new", user: "user-\(number)"))))
      }
      for client in clients { #expect(try client.status() == 101) }
      #expect(try Self.goodFetches(node) == 2)
      // The minute's fetch is spent: others with made-up keys are refused without one.
      for number in 0..<20 { #expect(try Self.status(node, Self.token(kid: "made-up-\(number)")) == 401) }
      #expect(try Self.goodFetches(node) == 2)
      let metrics = try Self.metrics(node)
      #expect(metrics.contains(#"roost_tokens_refused_total{reason="unknown_key"} 20"#))
    }
  }

  @Test func `keys that are taken away are gone with the next set`() async throws {
    try await Self.withKeys(Self.bothSet) { node, server throws in
      #expect(try Self.status(node, Self.token(Self.new, kid: "new")) == 101)
      try server.replace(Self.oldSet)
      #expect(try Self.status(node, Self.token(kid: "other")) == 401, "which fetches")
      #expect(try Self.status(node, Self.token(Self.new, kid: "new")) == 401)
      #expect(try Self.status(node, Self.token()) == 101)
    }
  }

  @Test(arguments: ["error", "redirect", "large", "empty", "html", "nothing"])
  func `without keys the answer is later, not no`(path: String) async throws {
    try await Self.withKeys(Self.oldSet, path) { node, _ throws in
      var client = try Self.knock(node, Self.token())
      let answer = try #require(try client.answer())
      #expect(answer.status == 503 && answer.header("retry-after") != nil)
      #expect(answer.body == #"{"error":"keys are not there yet"}"#)
      #expect(try Self.status(node, RoostServerTests.token("own")) == 101)
      #expect(try Self.status(node, "a.b.c") == 401)
      #expect(try Self.metrics(node).contains(#"roost_handshakes_refused_total{reason="no_keys"} 1"#))
    }
  }

  @Test func `an unbelievable server gives no keys`() async throws {
    for change in [
      { settings, _ in settings.tokens.jwksCAFile = "" },
      { settings, server in settings.tokens.jwksCAFile = server.otherCAFile },
      { settings, server in
        settings.tokens.jwksCAFile = server.otherCAFile
        settings.tokens.jwksURL = "https://127.0.0.1:\(server.otherPort)/keys"
      },
    ] as [(inout ServerConfiguration, KeyServer) -> Void] {
      try await Self.withKeys(Self.oldSet, "keys", change) { node, server throws in
        #expect(try Self.status(node, Self.token()) == 503)
        #expect(server.requests.isEmpty)
      }
    }
  }

  @Test func `the last good set serves while fetches fail`() async throws {
    try await Self.withKeys(Self.oldSet) { node, server throws in
      #expect(try Self.status(node, Self.token()) == 101)
      try server.replace("{}")
      #expect(try Self.status(node, Self.token(kid: "other")) == 401)
      #expect(try Self.status(node, Self.token()) == 101)
      #expect(
        try Self.metrics(node).contains(#"roost_key_set_fetches_total{outcome="failed"} 1"#),
        "which is not tried again for a minute")
    }
  }

  @Test func `what must not be in a set is said, and not used`() async throws {
    let set = TestKey.set([
      Self.old.jwk(id: "old", #""d":"AAAA""#), Self.weak.jwk(id: "weak"), Self.new.jwk(id: "new"),
    ])
    let lines = LogLines()
    try await Self.withKeys(set, log: Log(level: .info, sink: { lines.add($0) })) { node, _ throws in
      #expect(try Self.status(node, Self.token(Self.new, kid: "new")) == 101)
      #expect(try Self.status(node, Self.token()) == 401)
    }
    #expect(lines.text.contains("key 0 (old) is a private key") && lines.text.contains("key 1 (weak) is an RSA key"))
    #expect(lines.text.contains("insecure setting") && lines.text.contains("jwks-url without audience"))
  }

  @Test func `those who wait are few, and may leave`() async throws {
    try await Self.withKeys(Self.oldSet, "held", { settings, _ in settings.tokens.waitingHandshakes = 4 }) {
      node, server throws in
      let token = try Self.token()
      var waiting = [ClientBox]()
      for _ in 0..<4 { waiting.append(ClientBox(try Self.knock(node, token))) }
      // One shard, one order: these come when the others have been seen.
      for _ in 0..<3 { #expect(try Self.status(node, token) == 503) }
      waiting.removeLast(2)
      #expect(try Self.status(node, RoostServerTests.token("own")) == 101, "nobody else waits")
      try server.release()
      for client in waiting { #expect(try client.status() == 101) }
      #expect(try Self.status(node, token) == 101)
    }
  }

  @Test func `a node stops while an answer is on its way`() async throws {
    try await Self.withKeys(Self.oldSet, "silent") { node, server throws in
      let client = ClientBox(try Self.knock(node, Self.token()))
      try eventually("it asks") { !server.requests.isEmpty }
      withExtendedLifetime(client) {}
    }
  }

  @Test func `keys of a set speak for their issuer alone`() async throws {
    let change = { (settings: inout ServerConfiguration, _: KeyServer) in
      settings.tokens.issuers = ["https://us.example"]
      settings.tokens.jwksIssuers = ["https://idp.example"]
    }
    let signed = { (key: SigningKey, issuer: String, kid: String?) in
      var rules = TokenVerifier.Rules()
      rules.issuers = [issuer]
      return try TokenMinter(key: key, keyID: kid, rules: rules).mint(
        Claims(userID: "ann", expiresAt: Int64(time(nil)) + 3_600))
    }
    let (theirs, ours) = (try SigningKey(pem: Self.old.privatePEM), try SigningKey(secret: testSecret))
    try await Self.withKeys(Self.oldSet, "keys", change) { node, _ throws in
      #expect(try Self.status(node, signed(theirs, "https://idp.example", "old")) == 101)
      #expect(try Self.status(node, signed(ours, "https://us.example", nil)) == 101)
      #expect(try Self.status(node, signed(theirs, "https://us.example", "old")) == 401)
      #expect(try Self.status(node, signed(ours, "https://idp.example", nil)) == 401)
      #expect(try Self.metrics(node).contains(#"roost_tokens_refused_total{reason="wrong_issuer"} 2"#))
    }
  }
}

/// A client in a list, which cannot hold what may not be copied.
private final class ClientBox {
  private var client: TestClient

  init(_ client: consuming TestClient) { self.client = client }

  func status() throws -> Int? { try client.answer()?.status }
}
