import EventLoops
import Glibc
import RealtimeCore
import RedisRelay
import RoostTesting
import Testing

/// A Redis that says no, in each of its ways: the trouble has its word, the node its state, nothing runs hot, and all
/// comes back by itself, with nobody publishing.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RedisTroubleTests {
  struct Case: CustomTestStringConvertible {
    let trouble: RelayTrouble
    let begin: @Sendable (RedisServer) throws -> Void
    let end: @Sendable (RedisServer) throws -> Void
    var testDescription: String { trouble.rawValue }
  }

  /// Troubles in which the connection stays and messages are refused.
  static let refusals = [
    Case(trouble: .outOfMemory) {
      try $0.ask("CONFIG", "SET", "maxmemory", "1kb")
    } end: {
      try $0.ask("CONFIG", "SET", "maxmemory", "0")
    },
    Case(trouble: .diskError) { server in
      // A directory where the dump belongs: saving fails, even for root.
      _ = unsafe mkdir(server.directory + "/dump.rdb", 0o700)
      try server.ask("CONFIG", "SET", "save", "3600 1")
      try server.save(until: "rdb_last_bgsave_status:err")
    } end: { server in
      _ = unsafe rmdir(server.directory + "/dump.rdb")
      try server.save(until: "rdb_last_bgsave_status:ok")
    },
    Case(trouble: .noPermission) {
      try $0.ask("ACL", "SETUSER", "default", "-xadd")
    } end: {
      try $0.ask("ACL", "SETUSER", "default", "+xadd")
    },
    Case(trouble: .tooFewReplicas) {
      try $0.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    } end: {
      try $0.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    },
  ]

  @Test(arguments: refusals)
  func `Refused messages degrade the node until one would be accepted`(_ given: Case) throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let place = try bench.publish(["a"], on: node)[0].position
    try given.begin(server)
    let request = RelayRequest.publish(RoomName("r")!, [RelayBench.publication("b")])
    #expect(try bench.call(request, on: node).failure == .refused(given.trouble))
    try bench.wait("degraded") { node.state == .degraded }
    #expect(node.troubles == [given.trouble])
    let before = try server.load()
    bench.run(milliseconds: 2_000)
    let after = try server.load()
    #expect(after.connections == before.connections + 1, "only ours, which asks")
    #expect(after.scripts - before.scripts <= 12, "rehearsals, twice a second")
    try bench.wait("a rehearsal") { (try? server.load().scripts > before.scripts) == true }
    #expect(node.notices.filter { $0.contains("[\(given.trouble.rawValue)]") }.count == 1)
    try given.end(server)
    try bench.waitConnected()
    #expect(node.troubles == [given.trouble, nil])
    #expect(
      try bench.publish(["b"], on: node)[0].position == Position(epoch: place.epoch, offset: 2), "nothing was stored")
    #expect(node.generations.count == 1)
  }

  @Test func `Another program's script is waited for, on the same connections`() throws {
    let server = try RedisServer(["--busy-reply-threshold", "100"])
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let place = try bench.publish(["a"], on: node)[0].position
    let connections = try server.connectionIDs()
    onNewThread(name: "script") { _ = try? server.ask("EVAL", "while true do end", "0") }
    try bench.wait("busy") { node.troubles.last == .some(.busy) }
    try bench.wait("degraded") { node.state == .degraded }
    let request = RelayRequest.publish(RoomName("r")!, [RelayBench.publication("b")])
    #expect(try bench.call(request, on: node).failure == .refused(.busy))
    bench.run(milliseconds: 3_500)
    #expect(node.state == .degraded && node.troubles == [.busy])
    try server.ask("SCRIPT", "KILL")
    try bench.waitConnected()
    // Whoever began the script may be about to go.
    try bench.wait("the same connections") { (try? server.connectionIDs()) == connections }
    #expect(node.troubles == [.busy, nil])
    #expect(try bench.publish(["b"], on: node)[0].position == Position(epoch: place.epoch, offset: 2))
  }

  @Test func `A key of somebody else in one room concerns that room alone`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    try server.ask("SET", "ws:m:r", "not a hash")
    let request = RelayRequest.publish(RoomName("r")!, [RelayBench.publication("a")])
    for _ in 0..<3 { #expect(try bench.call(request, on: node).failure == .refused(.wrongType)) }
    #expect(node.notices.filter { $0.contains("room r ") && $0.contains("WRONGTYPE") }.count == 1)
    bench.run(milliseconds: 2_500)
    #expect(node.state == .connected && node.troubles == [.wrongType])
    #expect(try bench.publish(["a"], room: "fine", on: node)[0].position.offset == 1)
    try server.ask("DEL", "ws:m:r")
    #expect(try bench.publish(["a"], on: node)[0].position.offset == 1)
    bench.turn()
    #expect(node.troubles == [.wrongType, nil])
  }

  @Test func `A wrong password and a full server are asked twice a second, not in a loop`() throws {
    let locked = try RedisServer(["--requirepass", "right"])
    let full = try RedisServer()
    // Sits in the one place there is, and asks from there.
    let admin = try TestClient(port: full.port)
    try admin.send("CONFIG SET maxclients 1\r\n")
    let bench = try RelayBench()
    try bench.wait("full") { (try? full.ask("PING").hasPrefix("PONG")) != true }
    let url = try RedisURL("redis://:wrong@127.0.0.1:\(locked.port)")
    let stranger = bench.add(try RedisRelayConfiguration(server: url, nodeID: "n1"))
    let late = bench.add(try .test(full, node: "n2"))
    try bench.wait("degraded") { stranger.state == .degraded && late.state == .degraded }
    #expect(stranger.troubles == [.authentication] && late.troubles == [.tooManyClients])
    let before = try locked.load("-a", "right").connections
    bench.run(milliseconds: 2_000)
    let tries = try locked.load("-a", "right").connections - before
    #expect(tries <= 12, "two connections")
    try bench.wait("another try", wasMade: { try locked.load("-a", "right").connections - before }, readings: 1)
    for node in [stranger, late] { #expect(node.notices.count == 1, "\(node.notices)") }
    try admin.send("CONFIG SET maxclients 100\r\n")
    try locked.ask("-a", "right", "CONFIG", "SET", "requirepass", "wrong")
    try bench.waitConnected()
    #expect(try bench.publish(["a"], on: late)[0].position.offset == 1)
    #expect(stranger.troubles == [.authentication, nil] && late.troubles == [.tooManyClients, nil])
  }

  @Test func `Whatever a server says in place of a greeting has its word, and is not asked in a loop`() throws {
    let words: [(String, RelayTrouble)] = [
      ("LOADING Redis is loading the dataset in memory", .loading),
      ("NOAUTH Authentication required.", .authentication),
      ("NOPERM this user has no permissions", .noPermission), ("BUSY Redis is busy running a script.", .busy),
      ("MASTERDOWN Link with MASTER is down", .masterDown), ("CLUSTERDOWN The cluster is down", .clusterMode),
      ("ERR max number of clients reached", .tooManyClients), ("ERR something new", .other),
    ]
    let impostors = try words.map { words in
      let line = Array("-\(words.0)\r\n".utf8)
      return try RedisImpostor { _ in line }
    }
    defer { for impostor in impostors { impostor.stop() } }
    let bench = try RelayBench()
    let nodes = try impostors.enumerated().map { index, impostor in
      let url = try RedisURL("redis://127.0.0.1:\(impostor.port)")
      return bench.add(try RedisRelayConfiguration(server: url, nodeID: "n\(index)"))
    }
    try bench.wait("degraded") { nodes.allSatisfy { $0.state == .degraded } }
    let before = impostors.map(\.connections)
    bench.run(milliseconds: 2_000)
    for (index, node) in nodes.enumerated() {
      #expect(node.troubles == [words[index].1])
      #expect(node.notices.count == 1, "\(node.notices)")
      #expect(impostors[index].connections - before[index] <= 12, "\(words[index].0)")
    }
    try bench.wait("another try of each") { zip(impostors, before).allSatisfy { $0.connections > $1 } }
  }

  @Test func `A replica is asked now and then, and is another generation when it is master again`() throws {
    let server = try RedisServer()
    let master = try RedisServer()
    let bench = try RelayBench()
    let nodes = [bench.add(try .test(server, node: "n1")), bench.add(try .test(server, node: "n2"))]
    try bench.waitConnected()
    try server.ask("REPLICAOF", "127.0.0.1", "\(master.port)")
    let request = RelayRequest.publish(RoomName("r")!, [RelayBench.publication("a")])
    for node in nodes { #expect(try bench.call(request, on: node).failure != nil) }
    try bench.wait("degraded") { nodes.allSatisfy { $0.state == .degraded } }
    for node in nodes { #expect(node.troubles.last == .some(.readOnly)) }
    let before = try server.load().connections
    bench.run(milliseconds: 2_000)
    #expect(try server.load().connections - before <= 24, "two nodes")
    try bench.wait("another try", wasMade: { try server.load().connections - before }, readings: 1)
    try server.ask("REPLICAOF", "NO", "ONE")
    try bench.waitConnected()
    for node in nodes { #expect(node.generations.count == 2 && node.troubles.last == .some(nil)) }
    #expect(nodes[0].generations == nodes[1].generations, "of all who asked for a new one, one was heard")
    #expect(try bench.publish(["a"], on: nodes[0])[0].position.offset == 1)
  }

  /// PUBLISH still answers and no stream ends: only a probe that does not come back tells.
  @Test func `A subscriber that hears nothing is found, and replaced`() throws {
    let server = try RedisServer()
    let proxy = try DeafProxy(to: server)
    defer { proxy.stop() }
    let bench = try RelayBench()
    let url = try RedisURL("redis://127.0.0.1:\(proxy.port)")
    let node = bench.add(try RedisRelayConfiguration(server: url, nodeID: "n1"))
    try bench.waitConnected()
    proxy.turnDeaf()
    let began = monotonicMilliseconds()
    _ = try bench.publish(["a"], on: node)
    try bench.wait("it is noticed") { node.troubles == [.deafSubscriber] }
    let noticed = monotonicMilliseconds()
    try bench.wait("all is well") { node.troubles == [.deafSubscriber, nil] }
    print("deaf subscriber: noticed after \(noticed - began) ms, replaced after \(monotonicMilliseconds() - began) ms")
    #expect(node.resubscriptions == 2)
    _ = try bench.publish(["b"], on: node)
    try bench.wait("a frame") { node.frames.count == 1 }
  }

  /// For the report; nothing is asserted of the times.
  @Test func `Full service is back soon after Redis is`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    for _ in 0..<2 {
      server.kill()
      try bench.wait("degraded") { node.state == .degraded }
      bench.run(milliseconds: 1_000)
      try server.start()
      let began = monotonicMilliseconds()
      try bench.waitConnected()
      let connected = monotonicMilliseconds()
      #expect(try bench.publish(["a"], on: node)[0].position.offset == 1)
      let stored = monotonicMilliseconds()
      print("restarted Redis: connected after \(connected - began) ms, stored after \(stored - began) ms")
    }
  }

  @Test func `Settings that will hurt are told once per server`() throws {
    let server = try RedisServer([
      "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru", "--client-output-buffer-limit", "pubsub 1mb 1mb 60",
    ])
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.wait("both warnings") {
      node.notices.contains { $0.contains("allkeys-lru") } && node.notices.contains { $0.contains("1048576") }
    }
    try bench.waitConnected()
    try server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    try bench.wait("another connection") { node.troubles == [.unreachable, nil] }
    bench.run(milliseconds: 100)
    #expect(node.notices.filter { $0.contains("maxmemory-policy") || $0.contains("output-buffer") }.count == 2)
  }

  @Test func `Where settings may not be read, that is said and nothing else`() throws {
    let server = try RedisServer()
    try server.ask("ACL", "SETUSER", "default", "-config")
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    try bench.wait("a word about it") { node.notices.contains { $0.contains("could not check") } }
    #expect(node.notices.count == 1 && node.troubles.isEmpty)
  }
}

extension RelayBench {
  /// Waits until there are more connections than our own readings of their number, each of which is one.
  fileprivate func wait(_ what: String, wasMade connections: () throws -> Int, readings: Int) throws {
    var readings = readings
    try wait(what) {
      readings += 1
      return ((try? connections()) ?? 0) > readings
    }
  }
}

/// What tells a hot loop from a patient one.
struct ServerLoad {
  let connections: Int
  let scripts: Int
}

extension RedisServer {
  func load(_ credentials: String...) throws -> ServerLoad {
    let text = try credentials.isEmpty ? ask("INFO", "all") : ask(credentials[0], credentials[1], "INFO", "all")
    func number(_ name: String) -> Int {
      guard let start = text.firstRange(of: name)?.upperBound else { return 0 }
      return Int(text[start...].prefix { $0.isNumber }) ?? 0
    }
    return ServerLoad(
      connections: number("total_connections_received:"),
      scripts: text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_evalsha:") }.map(Self.tries) ?? 0)
  }

  /// Of a line such as `cmdstat_get:calls=2,usec=9,usec_per_call=4.50,rejected_calls=1,failed_calls=0`.
  private static func tries(_ line: Substring) -> Int {
    line.split(whereSeparator: { $0 == ":" || $0 == "," }).reduce(0) { sum, field in
      let parts = field.split(separator: "=")
      return parts.first == "calls" || parts.first == "rejected_calls" ? sum + (Int(parts[1]) ?? 0) : sum
    }
  }

  /// The connections that are open, without the one that asks.
  func connectionIDs() throws -> Set<Substring> {
    let lines = try ask("CLIENT", "LIST").split(separator: "\n")
    return Set(lines.filter { !$0.contains("cmd=client") }.compactMap { $0.split(separator: " ").first })
  }

  fileprivate func save(until status: String) throws {
    let deadline = monotonicMilliseconds() + 120_000
    while monotonicMilliseconds() < deadline {
      _ = try ask("BGSAVE")
      usleep(10_000)
      if try ask("INFO", "persistence").contains(status) { return }
    }
    throw RelayBench.TooLate(description: "never \(status)")
  }
}
