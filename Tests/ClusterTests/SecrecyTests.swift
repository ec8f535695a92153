import EventLoops
import Foundation
import Glibc
import LoadGenerator
import RoostTesting
import Testing
import Tokens

/// What must stay secret is looked for wherever it could turn up: logs at their most talkative, command lines,
/// environments of programs that are not ours, and every answer.
@Suite("secrecy", .serialized, .timeLimit(.minutes(20)))
struct SecrecyTests {
  static let secret = "SENTINEL-secret-of-the-tokens-0123456789"
  static let key = "SENTINEL-api-key-0123456789-0123456789"
  static let password = "SENTINEL-redis-password"
  static let guess = "SENTINEL-guess-0123456789-0123456789-01"

  /// `roost`, in a clean environment.
  private func start(_ arguments: [String], _ environment: [String: String]) throws -> TestProcess {
    try TestProcess(
      [try ClusterNode.binary()] + arguments,
      environment: ["PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin"].merging(environment) { $1 })
  }

  private func stop(_ process: TestProcess) {
    process.signal(SIGTERM)
    process.ended()
  }

  private static func token(_ user: String, role: String? = nil) throws -> String {
    let now = Int64(Date().timeIntervalSince1970)
    return try TokenMinter(secret: Array(secret.utf8)).mint(Claims(userID: user, role: role, expiresAt: now + 3_600))
  }

  private static func file(_ process: pid_t, _ name: String) -> String {
    guard let bytes = try? [UInt8](Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/\(name)"))) else {
      return ""
    }
    return String(decoding: bytes.map { $0 == 0 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
  }

  private static func children(of process: pid_t) -> [pid_t] {
    file(process, "task/\(process)/children").split(separator: " ").compactMap { pid_t($0) }
  }

  /// All that a client can make the node say.
  private func provoke(_ port: UInt16, _ adminPort: UInt16, tokens: [String]) throws -> [String] {
    var answers: [String] = []
    func ask(_ port: UInt16, _ request: String) throws {
      var client = try TestClient(port: port)
      try client.send(request)
      if let answer = try client.answer() { answers.append(answer.head + answer.body) }
    }
    for path in [
      "/", "/metrics", "/ws/online?verbose", "/ws/stats", "/healthz", "/readyz", "/nowhere?token=\(Self.guess)",
    ] {
      for port in [port, adminPort] { try ask(port, "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n") }
    }
    for token in tokens + [Self.guess, "a.\(Self.guess).c"] {
      try ask(port, TestClient.upgradeRequest("/ws?token=\(token)"))
      try ask(port, TestClient.upgradeRequest("/ws?token=\(token)&token=\(token)"))
      try ask(port, TestClient.upgradeRequest("/ws?token=\(token)%zz"))
      try ask(port, TestClient.upgradeRequest("/ws", "Sec-WebSocket-Protocol: \(token), \(token)\r\n"))
      try ask(port, TestClient.upgradeRequest("/ws", "Authorization: Bearer \(token)\r\n Folded: \(token)\r\n"))
      try ask(port, "GET /ws HTTP/1.1\r\nAuthorization: Bearer \(token)\r\n\r\n")
    }
    for credential in tokens + [Self.guess, Self.key] {
      let head = "HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(credential)\r\n"
      let body = #"{"token_id":"\#(Self.guess)"}"#
      let type = "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
      try ask(adminPort, "POST /api/tokens/revoke \(head)\(type)")
      try ask(adminPort, "POST /api/tokens/revoke \(head)Content-Length: 3\r\n\r\n\(credential)")
      try ask(adminPort, "POST /api/users/%zz\(credential)/disconnect \(head)\r\n")
      try ask(adminPort, "POST /api/users/nobody/disconnect \(head)\(type)")
    }
    return answers
  }

  @Test(arguments: [true, false])
  func `a node tells nobody`(knowsPassword: Bool) throws {
    let redis = try RedisServer(["--requirepass", knowsPassword ? Self.password : "another"])
    let (port, adminPort) = (try FreePorts.take(), try FreePorts.take())
    let tokens = [try Self.token("anna"), try Self.token("root", role: "admin")]
    let node = try start(
      ["serve", "--host", "127.0.0.1", "--port", "\(port)", "--admin-port", "\(adminPort)", "--log-level", "debug"],
      [
        "ROOST_SECRET": Self.secret, "ROOST_API_KEY": Self.key, "ROOST_REDIS_URL": redis.url,
        "ROOST_REDIS_PASSWORD": Self.password,
      ])
    try #require(node.says("administration"))
    #expect(node.says(knowsPassword ? "state=connected" : "authentication"))
    let answers = try provoke(port, adminPort, tokens: tokens)
    node.signal(SIGUSR1)
    #expect(node.says("backlogs"))
    let commandLine = Self.file(node.processID, "cmdline")
    stop(node)
    #expect(answers.count > 30)
    #expect(commandLine.contains("serve"))
    let signatures = tokens.map { String($0.suffix(20)) }
    for word in ["SENTINEL"] + signatures {
      #expect(!node.text.contains(word))
      #expect(!commandLine.contains(word))
      // The API answers a caller's own mistakes without repeating them; the echo of a subprotocol is the protocol's.
      for answer in answers where !answer.lowercased().contains("sec-websocket-protocol: ") {
        #expect(!answer.contains(word), "\(answer)")
      }
    }
    #expect(node.text.contains("api call refused"))
  }

  @Test(arguments: [true, false])
  func `a cluster tells nobody, nor its other children`(hasRedis: Bool) throws {
    let redis = hasRedis ? try RedisServer(["--requirepass", Self.password]) : nil
    var environment = ["ROOST_SECRET": Self.secret, "ROOST_API_KEY": Self.key, "ROOST_LOG_LEVEL": "debug"]
    if let redis { environment["ROOST_REDIS_URL"] = "redis://:\(Self.password)@127.0.0.1:\(redis.port)" }
    let cluster = try start(["cluster", "--nodes", "2", "--port", "\(FreePorts.take(3))"], environment)
    #expect(cluster.says("--secret-file"))
    let children = Self.children(of: cluster.processID)
    #expect(children.count >= 2)
    for child in children + [cluster.processID] {
      #expect(!Self.file(child, "cmdline").contains("SENTINEL"))
    }
    for child in children where !Self.file(child, "cmdline").contains("serve") {
      #expect(!Self.file(child, "environ").contains("ROOST_"))
    }
    #expect(children.filter { Self.file($0, "environ").contains(Self.key) }.count == 2)
    stop(cluster)
    #expect(!cluster.text.contains("SENTINEL"))
    #expect(cluster.text.contains("redis      redis://"))
  }

  @Test(arguments: [
    ["serve", "--check", "--redis-url", "redis://:\(password)@h"], ["serve", "--check", "--api-key", key],
    ["serve", "--check", "--secret", secret], ["serve", "--check", "--redis-password", password],
    ["serve", "--check", "--secret-file", secret], ["serve", "--check"],
    ["cluster", "--redis-url", "redis://u:\(password)@h"], ["token", "--user", "a", "--secret", secret],
    ["bench", "fanout", "--url", "ws://127.0.0.1:1/ws", "--token", guess],
  ])
  func `what is said about settings does not repeat secrets`(arguments: [String]) throws {
    let command = try start(
      arguments,
      [
        "ROOST_SECRET": Self.secret, "ROOST_API_KEY": Self.key + "\nSENTINEL-short",
        "ROOST_REDIS_URL": "redis://\(Self.password)@h:not-a-port",
      ])
    // Refused, not fallen over.
    #expect((1...2).contains(command.ended()))
    #expect(!command.text.isEmpty)
    #expect(!command.text.contains("SENTINEL"), "\(command.text)")
  }

  @Test func `a Redis that repeats what it was told does not make the node do so`() throws {
    // What Redis says about a command that was renamed away: its arguments.
    let repeating = "-ERR unknown command 'AUTH', with args beginning with: '\(Self.password)' \r\n"
    let impostor = try RedisImpostor { _ in Array(String(repeating: repeating, count: 20).utf8) }
    defer { impostor.stop() }
    let node = try start(
      ["serve", "--host", "127.0.0.1", "--port", "0", "--log-level", "debug"],
      [
        "ROOST_SECRET": Self.secret, "ROOST_REDIS_URL": "redis://:\(Self.password)@127.0.0.1:\(impostor.port)",
      ])
    #expect(node.says("unknown command"))
    stop(node)
    #expect(!node.text.contains("SENTINEL"), "\(node.text)")
  }
}
