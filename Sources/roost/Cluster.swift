import EventLoops
import LoadGenerator
import RoostServer
import Tokens

/// Processes that make a cluster: started in order, watched, and stopped in reverse.
struct Cluster {
  struct Failure: Error, CustomStringConvertible { let description: String }

  private let folder: TemporaryFolder
  private let secret: [UInt8]
  private let nodeFlags: [String]
  private var redisURL: String
  /// `nil`: clients choose a node themselves.
  private let balancer: (port: UInt16, program: String)?
  private let ports: [UInt16]
  private var supervisor: Supervisor
  /// When to give up: a busy machine may take its time.
  private static let startSeconds = 60

  init(
    folder: TemporaryFolder, nodes: Int, port: UInt16, redisURL: String, secret: [UInt8], nodeFlags: [String],
    hasBalancer: Bool
  ) throws {
    (self.folder, self.redisURL, self.secret, self.nodeFlags) = (folder, redisURL, secret, nodeFlags)
    balancer = hasBalancer ? Console.find("haproxy").map { (port, $0) } : nil
    if balancer != nil && !FreePort.isFree(port) { throw Failure(description: "port \(port) is taken: see --port") }
    ports = FreePort.following(port + (balancer == nil ? 0 : 1), count: nodes)
    guard ports.count == nodes else { throw Failure(description: "not enough free ports above \(port)") }
    supervisor = try Supervisor()
  }

  /// Returns the exit code when everything has ended.
  mutating func run() throws -> CInt {
    let code: CInt
    do {
      code = try start() ? watch() : 0
    } catch {
      Console.complain("roost cluster: \(error)")
      code = 1
    }
    stop()
    return code
  }

  // MARK: Start

  /// False when somebody asked for the end meanwhile.
  private mutating func start() throws -> Bool {
    try Console.writeFile(secretFile, String(decoding: secret, as: UTF8.self))
    var settings = nodeSettings
    if redisURL.isEmpty {
      // What there is to say about another Redis is not for ours.
      settings = settings.filter { !$0.key.hasPrefix("ROOST_REDIS_") }
      guard let port = FreePort.any() else { throw Failure(description: "no free port for Redis") }
      redisURL = "redis://127.0.0.1:\(port)"
      try supervisor.start(
        "redis",
        [
          "redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
          folder.path, "--loglevel", "warning",
        ])
      guard try wait(for: "Redis", { Self.accepts(port) }) else { return false }
    }
    settings["ROOST_REDIS_URL"] = redisURL
    for (index, port) in ports.enumerated() { try startNode("node-\(index + 1)", port, settings) }
    for (index, port) in ports.enumerated() {
      guard try wait(for: "node-\(index + 1)", { Self.isReady(port) }) else { return false }
    }
    if let balancer {
      try Console.writeFile(balancerFile, Balancer.configuration(port: balancer.port, nodes: ports))
      try supervisor.start("haproxy", [balancer.program, "-db", "-f", balancerFile])
      guard try wait(for: "haproxy", { Self.isReady(balancer.port) }) else { return false }
    }
    Console.print(welcome)
    return true
  }

  /// Nodes get secrets by files that only this user can read, and by their environment. A port for administration
  /// cannot be the same for all.
  private var nodeSettings: [String: String] {
    let ours = ["ROOST_SECRET", "ROOST_ADMIN_PORT"]
    return Console.environment.filter { name, _ in name.hasPrefix("ROOST_") && !ours.contains { name.hasPrefix($0) } }
  }

  private mutating func startNode(_ name: String, _ port: UInt16, _ settings: [String: String]) throws {
    // The balancer is believed, and so is everybody on this machine: no limits per address here.
    let flags = [
      "--host", "127.0.0.1", "--port", "\(port)", "--node-id", name, "--secret-file", secretFile,
      "--trusted-proxies", "127.0.0.1", "--drain-wait", "1", "--drain-window", "3",
    ]
    // Names for the asking, for the pages; not for nodes that are told to be reached from elsewhere.
    let isForAll = ["--host", "--development"].contains { flag in nodeFlags.contains { $0.hasPrefix(flag) } }
    try supervisor.start(
      name, [Console.executable, "serve"] + flags + (isForAll ? [] : ["--development"]) + nodeFlags, settings: settings)
  }

  private mutating func wait(for name: String, _ isThere: () -> Bool) throws -> Bool {
    let deadline = monotonicMilliseconds() + Int64(Self.startSeconds) * 1_000
    while !isThere() {
      for event in supervisor.events(within: 50) {
        switch event {
        case .stopSignal: return false
        case .ended(let child): throw Failure(description: "\(child.name) ended with \(child.exitCode ?? 0)")
        }
      }
      guard monotonicMilliseconds() < deadline else {
        throw Failure(description: "\(name) is not ready after \(Self.startSeconds) s")
      }
    }
    return true
  }

  // MARK: Run and stop

  /// A node may go: what becomes of its clients is worth seeing. Without Redis, the balancer or any node it is over.
  private mutating func watch() -> CInt {
    while true {
      for event in supervisor.events(within: 60_000) {
        switch event {
        case .stopSignal: return 0
        case .ended(let child):
          let code = child.exitCode ?? 0
          let nodes = supervisor.children.count { Self.isNode($0.name) && $0.isRunning }
          guard Self.isNode(child.name), nodes > 0 else {
            Console.complain("roost cluster: \(child.name) ended unexpectedly (\(code)): stopping all")
            return 1
          }
          let end = code == 0 ? "has drained" : "ended (\(code))"
          Console.complain("roost cluster: \(child.name) \(end), \(nodes) go on")
        }
      }
    }
  }

  /// Nodes first, while their clients can still be told and Redis still answers.
  private mutating func stop() {
    supervisor.stop(Self.isNode, seconds: 35)
    supervisor.stop({ $0 == "haproxy" }, seconds: 5)
    supervisor.stop({ _ in true }, seconds: 5)
  }

  // MARK: Words

  private var welcome: String {
    let nodes = ports.enumerated().map { "  node-\($0 + 1)     http://127.0.0.1:\($1)/" }
    let tokens = ["alice", "bob", "42"].map { user in
      "  \(user)\(String(repeating: " ", count: 8 - user.count))\(token(for: user))"
    }
    return """

      \(ports.count) nodes are ready. Ctrl-C stops everything.

        \(balancerLine)
      \(nodes.joined(separator: "\n"))
        redis      \(CredentialURL.hidden(redisURL))

      \(browserWords)

      Or in another terminal, as somebody who may do everything:

        \(terminalWords.joined(separator: "\n  "))

      Tokens for a client of your own, good for a day:

      \(tokens.joined(separator: "\n"))

      """
  }

  private var balancerLine: String {
    guard let port = balancer?.port else { return "no balancer: clients choose a node" }
    return "balancer   http://127.0.0.1:\(port)/   ws://127.0.0.1:\(port)/ws"
  }

  private var entry: String { "http://127.0.0.1:\(balancer?.port ?? ports[0])" }

  private var browserWords: String {
    let settings = ConfigurationReader(arguments: nodeFlags, environment: nodeSettings, readFile: Console.readFile)
    if case .listed(let origins) = settings.configuration.origins, !origins.contains(entry) {
      return "Only these pages are let in (--origins): \(origins.joined(separator: " "))"
    }
    return """
      Talk in a browser, in two tabs with two names; and watch the cluster:

        \(entry)/
        \(entry)/dashboard
      """
  }

  private var terminalWords: [String] {
    let folder = Console.executable.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let nodes = ports.map { "http://127.0.0.1:\($0)" }
    return [
      "export PATH=\(folder.joined(separator: "/")):$PATH",
      "export ROOST_TOKEN=$(roost token --secret-file \(secretFile) --user carol --role admin)",
      "roost chat --url ws\(entry.dropFirst(4)) --room general", "roost publish --url \(entry) --room general hello",
      "roost status --url \(nodes.joined(separator: ","))", "curl \(nodes[nodes.count - 1])/ws/online",
    ]
  }

  private func token(for user: String) -> String {
    let now = wallClockMilliseconds() / 1_000
    return TokenCommand.mint(Claims(userID: user, expiresAt: now + 86_400, issuedAt: now), secret) ?? ""
  }

  private var secretFile: String { folder.file("secret") }
  private var balancerFile: String { folder.file("haproxy.cfg") }

  private static func isNode(_ name: String) -> Bool { name.hasPrefix("node-") }

  private static func isReady(_ port: UInt16) -> Bool {
    guard let address = Address(host: "127.0.0.1", port: port) else { return false }
    return HTTPProbe.get("/readyz", from: address, milliseconds: 500)?.status == 200
  }

  /// Somebody listens. Asked by connecting: who tries to bind the port has it for a moment, in which its owner cannot.
  private static func accepts(_ port: UInt16) -> Bool {
    guard let address = Address(host: "127.0.0.1", port: port), let loop = try? EventLoop() else { return false }
    guard let socket = try? Socket.connect(to: address) else { return false }
    guard (try? loop.add(socket.descriptor, token: 1, interest: .write)) != nil else { return false }
    var events = EventBuffer(capacity: 1)
    _ = loop.wait(into: &events, timeout: 500)
    return events.count > 0 && socket.takeError() == 0
  }
}
