import EventLoops
import Glibc
import LoadGenerator
import Tokens

/// `roost bench`: measures a server from one thread.
enum BenchCommand {
  static func run(_ arguments: [String]) -> CInt {
    var flags = Flags(arguments, values: valueNames, switches: ["help", "json", "talk", "join"])
    if flags.has("help") {
      Console.print(help)
      return 0
    }
    raiseDescriptorLimit()
    guard let name = flags.rest.first, flags.rest.count == 1, let scenario = BenchPlan.Scenario(rawValue: name) else {
      Console.complain("roost bench: what to measure? fanout, echo, connect or idle (see --help)")
      return 2
    }
    let (given, problems) = SharedSecret.read(file: flags["secret-file"])
    problems.forEach { flags.refuse($0) }
    let token = readToken(&flags)
    let secret = given ?? Array(SecureRandom.base64URL(byteCount: 32).utf8)
    let threads = flags.integer("spawn", 1...64, default: 0)
    var spawned: SpawnedNode?
    if threads > 0 && flags.problems.isEmpty {
      do { spawned = try SpawnedNode(threads: threads, secret: secret) } catch { flags.refuse("\(error)") }
    }
    defer { spawned?.stop() }
    let url = flags["url"] ?? spawned?.url(scenario == .echo ? "/echo" : "/ws")
    let signing = given ?? (spawned == nil ? nil : secret)
    guard let plan = plan(scenario, url: url, &flags, token: token, secret: signing, spawned) else {
      _ = flags.complain("bench")
      return 2
    }
    do {
      let report = try Bench.run(plan)
      Console.write(flags.has("json") ? report.json : report.text, to: 1)
      return report.isClean ? 0 : 1
    } catch {
      Console.complain("roost bench: \(error)")
      return 1
    }
  }

  private static func plan(
    _ scenario: BenchPlan.Scenario, url: String?, _ flags: inout Flags, token: String?, secret: [UInt8]?,
    _ spawned: SpawnedNode?
  ) -> BenchPlan? {
    guard let url else {
      flags.refuse("--url names the server; --spawn starts one")
      return nil
    }
    let endpoint = Endpoint(url, token: token)
    let publishers = Endpoint(flags["publisher-url"] ?? url, token: token)
    guard let endpoint, let publishers else {
      flags.refuse("--url: such as ws://127.0.0.1:8080/ws")
      return nil
    }
    var plan = BenchPlan(scenario: scenario, endpoint: endpoint)
    plan.publishers = publishers
    if token == nil, let secret, scenario != .echo { plan.token = { mint($0, secret) } }
    plan.rooms = flags.integer("rooms", 1...100_000, default: 1)
    plan.membersPerRoom = flags.integer("members", 1...1_000_000, default: 100)
    plan.publishersPerRoom = flags.integer("publishers", 1...1_000, default: 1)
    plan.everybodyTalks = flags.has("talk")
    plan.window = flags.integer("window", 1...100_000, default: 1)
    plan.rate = flags.decimal("rate", 0...10_000_000, default: 0)
    plan.payloadBytes = flags.integer("payload", Marker.byteCount...1 << 20, default: 128)
    plan.connections = flags.integer("connections", 1...1_000_000, default: scenario == .connect ? 64 : 100)
    plan.joins = flags.has("join")
    plan.concurrency = flags.integer("concurrency", 1...10_000, default: 64)
    plan.warmSeconds = flags.decimal("warm", 0...3_600, default: 1)
    plan.seconds = flags.decimal("time", 0.1...3_600, default: 5)
    let processes = (flags["pid"] ?? "").split(separator: ",").map { pid_t($0) }
    if processes.contains(nil) { flags.refuse("--pid: numbers between commas") }
    plan.processes = processes.compactMap { $0 } + (spawned.map { [$0.process] } ?? [])
    return flags.problems.isEmpty ? plan : nil
  }

  private static func readToken(_ flags: inout Flags) -> String? {
    guard let path = flags["token-file"] else {
      return Console.environment["ROOST_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
    }
    guard let bytes = try? Console.readFile(path) else {
      flags.refuse("--token-file: cannot be read")
      return nil
    }
    return String(String(decoding: bytes, as: UTF8.self).prefix { !$0.isWhitespace })
  }

  /// A user for each connection, so that no limit per user is in the way.
  private static func mint(_ client: Int, _ secret: [UInt8]) -> String {
    let now = wallClockMilliseconds() / 1_000
    let claims = Claims(userID: "bench-\(client)", expiresAt: now + 86_400, issuedAt: now)
    return (try? TokenMinter(secret: secret))?.mint(claims) ?? ""
  }

  private static let valueNames: Set = [
    "url", "publisher-url", "token-file", "secret-file", "spawn", "pid", "rooms", "members", "publishers", "window",
    "rate",
    "payload", "connections", "concurrency", "warm", "time",
  ]

  private static let help = """
    roost bench fanout|echo|connect|idle --url ws://HOST:PORT/PATH | --spawn THREADS

      fanout   rooms whose members get what publishers, or all members, say
      echo     every client gets its own message back
      connect  connections that are made and dropped again
      idle     connections that do nothing, for their memory

      --url            the server; a numeric host or localhost
      --publisher-url  another node for the publishers
      --spawn          starts a node without limits and without Redis, with so many threads, for this run
      --token-file     one token for all, or ROOST_TOKEN; else every connection gets its own, made with the secret in
      --secret-file    … or ROOST_SECRET_FILE or ROOST_SECRET; without any, none is sent
      --pid            server processes, between commas, whose CPU and memory are reported
      --json           one object on one line

      --rooms 1 --members 100 --publishers 1   fanout, idle --join: rooms, members and further talkers of each
      --talk                                   fanout: every member talks, no further talkers
      --window 1                               messages on their way in each room, or of each echo client
      --rate N                                 fanout: messages a second over all rooms, instead of the window
      --payload 128                            characters of each message
      --connections 100                        echo, connect (at any time), idle
      --join                                   idle: every connection joins a room
      --concurrency 64 --warm 1 --time 5       handshakes at a time; seconds before and in the measurement

    Exit code 1 when something was lost, doubled or out of order, or a connection was missing.
    """
}
