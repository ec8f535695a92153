import RealtimeCore
public import RedisRelay

// SimulatedRedis
//
// Speaks RESP over simulated links, executes commands one after the other, and runs the relay's scripts as Swift
// functions with the meaning of their Lua texts. That it is like the real one is shown by the relay's contract suite,
// which runs over both. What happens to it (restarts, lost data, refusals) is in SimulatedRedis+Faults.

/// A Redis in the memory of the simulation.
public final class SimulatedRedis {
  let world: World
  let settings: RedisRelayConfiguration
  public var mutant: RedisMutant?
  /// Told of everything that matters to the invariants.
  var witness: (any RedisWitness)?

  var data = RedisData()
  /// An earlier state, which a lagging replica or a cut log would still have.
  var earlier = RedisData()
  private var writes = 0
  var runID: String
  var replicationID: String
  var isDown = false
  var isPaused = false
  /// Every script or write is refused with this.
  public var refusal: String?
  var isReplica: Bool { refusal?.hasPrefix("READONLY") ?? false }
  /// How far Redis' clock is from the nodes', in milliseconds.
  var clockOffset = 0
  private var loaded: Set<String> = []
  private(set) var sessions: [RedisSession] = []
  /// Text of each script, and what to call it.
  private let catalogue: [String: Script]
  private let hashes: [Script: String]

  /// - Parameter settings: those of the nodes, whose scripts it must know.
  public init(world: World, settings: RedisRelayConfiguration) {
    (self.world, self.settings) = (world, settings)
    (runID, replicationID) = (world.dice.hexadecimal(40), world.dice.hexadecimal(40))
    catalogue = Dictionary(uniqueKeysWithValues: Script.allCases.map { ($0.source(settings.scriptSettings), $0) })
    hashes = Dictionary(
      uniqueKeysWithValues: Script.allCases.map { script in
        let digits = String(script.rawValue + 1, radix: 16)
        return (script, String(repeating: "0", count: 40 - digits.count) + digits)
      })
  }

  /// Redis' TIME, in microseconds.
  var time: Int { Int(world.clock.wallMicroseconds) + clockOffset * 1_000 }

  // MARK: Connections

  func accept(_ link: Link) -> Bool {
    guard !isDown else { return false }
    let session = RedisSession(link: link)
    link.session = session
    sessions.append(session)
    return true
  }

  /// The connection is over. A paused Redis still executes what came before.
  func forget(_ session: RedisSession) {
    if isPaused {
      session.isOver = true
      return
    }
    sessions.removeAll { $0 === session }
    session.link.session = nil
  }

  func receive(_ bytes: [UInt8], from session: RedisSession) {
    session.reader.feed(bytes)
    if !isPaused { execute(session) }
  }

  func execute(_ session: RedisSession) {
    var out: [UInt8] = []
    while !isDown, let command = session.reader.next() { answer(command, session)?.append(to: &out) }
    if !out.isEmpty { session.link.push(out) }
  }

  func forgetScripts() { loaded = [] }

  // MARK: Commands

  /// The reply, unless the command has written its own.
  private func answer(_ command: RedisCommand, _ session: RedisSession) -> RedisReply? {
    switch command.name {
    case "EVALSHA": return evaluate(command)
    case "PUBLISH": return .integer(publish(command.words[2], on: command.text(1)))
    case "SUBSCRIBE": return subscribe(Array(command.words.dropFirst()), session)
    case "UNSUBSCRIBE": return unsubscribe(Array(command.words.dropFirst()), session)
    case "SCRIPT": return load(command)
    case "INFO": return .word(information)
    case "AUTH", "SELECT": return .ok
    case "PING": return .word("PONG")
    case "CONFIG": return .array([.word("client-output-buffer-limit"), .word("pubsub 33554432 8388608 60")])
    default: return .error("ERR unknown command '\(command.name)'")
    }
  }

  private var information: String {
    """
    redis_version:7.0.15\r
    run_id:\(runID)\r
    role:\(isReplica ? "slave" : "master")\r
    master_replid:\(replicationID)\r
    cluster_enabled:0\r
    maxmemory:0\r
    maxmemory_policy:noeviction\r

    """
  }

  private func load(_ command: RedisCommand) -> RedisReply {
    guard command.text(1).uppercased() == "LOAD", let script = catalogue[command.text(2)] else {
      return .error("ERR the simulated Redis does not know this script")
    }
    loaded.insert(hashes[script]!)
    return .word(hashes[script]!)
  }

  private func subscribe(_ channels: [[UInt8]], _ session: RedisSession) -> RedisReply? {
    var out: [UInt8] = []
    for channel in channels {
      if !session.channels.contains(channel.text) { session.channels.append(channel.text) }
      RedisReply.array([.word("subscribe"), .text(channel), .integer(session.channels.count)]).append(to: &out)
    }
    session.link.push(out)
    return nil
  }

  private func unsubscribe(_ channels: [[UInt8]], _ session: RedisSession) -> RedisReply? {
    var out: [UInt8] = []
    for channel in channels {
      session.channels.removeAll { $0 == channel.text }
      RedisReply.array([.word("unsubscribe"), .text(channel), .integer(session.channels.count)]).append(to: &out)
    }
    session.link.push(out)
    return nil
  }

  /// Where what is said in a room goes.
  func channel(of room: String) -> String {
    settings.prefix + (settings.topology == .rooms ? "b:" + room : "broadcast")
  }

  @discardableResult
  func publish(_ text: [UInt8], on channel: String) -> Int {
    var out: [UInt8] = []
    var count = 0
    for session in sessions where session.channels.contains(channel) {
      if out.isEmpty {
        RedisReply.array([.word("message"), .word(channel), .text(text)]).append(to: &out)
      }
      session.link.push(out)
      count += 1
    }
    return count
  }

  // MARK: Scripts

  private func evaluate(_ command: RedisCommand) -> RedisReply {
    let hash = command.text(1)
    guard loaded.contains(hash), let script = Script(rawValue: Int(hash, radix: 16)! - 1) else {
      return .error("NOSCRIPT No matching script. Please use EVAL.")
    }
    if let refusal = refusal(of: script) { return .error(refusal) }
    data.expire(now: time / 1_000)
    let call = ScriptCall(command: command)
    let reply = run(script, call)
    if script != .read, script != .history, !reply.isError { noteWrite() }
    if world.trace.isOn, script != .heartbeat {
      world.trace.note("redis", "\(script) \(call.summary) → \(reply.summary)")
    }
    return reply
  }

  private func refusal(of script: Script) -> String? {
    guard let refusal, script != .read, script != .history else { return nil }
    // Only PUBLISH needs memory; a replica takes no write at all.
    return refusal.hasPrefix("OOM") && script != .publish ? nil : refusal
  }

  private func run(_ script: Script, _ call: ScriptCall) -> RedisReply {
    if script == .boot { return boot(call) }
    if mutant != .noStaleGeneration, data.generation != call.generation {
      return .error("STALEGEN another generation")
    }
    if data.sessions[call.node].map({ String($0) }) != call.session {
      return .error("OLDSESSION another session of this node")
    }
    switch script {
    case .boot: return boot(call)
    case .publish: return publish(call)
    case .read: return read(call)
    case .history: return history(call)
    case .heartbeat: return heartbeat(call)
    case .register: return register(call)
    case .presence: return presence(call)
    case .connections: return connections(call)
    case .users: return users(call)
    case .depart: return depart(call)
    case .reap: return reap(call)
    case .roster: return roster(call)
    case .online: return online()
    case .revoke: return revoke(call)
    case .revocations: return revocations(call)
    }
  }

  /// Keeps a state that is some writes old.
  private func noteWrite() {
    writes += 1
    if writes % 64 == 0 { earlier = data }
  }
}

/// What a script was called with. Argument numbers are those of the Lua texts.
struct ScriptCall {
  let command: RedisCommand
  let generation: String
  let node: String
  let session: String

  init(command: RedisCommand) {
    self.command = command
    (generation, node, session) = (command.text(3), command.text(4), command.text(5))
  }

  func bytes(_ argument: Int) -> [UInt8] { command.words[argument + 2] }
  func text(_ argument: Int) -> String { command.text(argument + 2) }
  func number(_ argument: Int) -> Int { command.number(argument + 2) }
  var count: Int { command.words.count - 3 }
  /// The random part of the generation, with which epochs begin.
  var short: String { String(generation.dropFirst(25).prefix(12)) }
  var token: String { String(generation.suffix(32)) }

  var summary: String {
    (4...max(4, min(count, 12))).map { text($0) }.map { $0.count > 48 ? "\($0.prefix(44))…" : $0 }
      .map { $0.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value < 127 || $0 == "…" } ? $0 : "#" }
      .joined(separator: " ") + " (\(node))"
  }
}

extension RedisReply {
  /// For the trace.
  var summary: String {
    switch self {
    case .ok: "OK"
    case .error(let words): words
    case .integer(let number): "\(number)"
    case .text(let text): text.count > 40 ? "\(text.text.prefix(36))…" : text.text
    case .null: "nothing"
    case .array(let items): "[\(items.prefix(9).map(\.summary).joined(separator: " "))\(items.count > 9 ? " …" : "")]"
    }
  }
}
