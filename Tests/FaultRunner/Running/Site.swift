import EventLoops
import Foundation
import Glibc
import LoadGenerator
import RoostTesting
import Tokens

/// Where faults strike: a Redis, three nodes that reach it through a proxy each, and a gate in front of each node.
@MainActor
final class Site {
  struct Failure: Error, CustomStringConvertible { let description: String }

  static let count = 3
  static let secret = "fault-tests-have-no-secrets-0123456789"

  /// The one in use; a failover replaces it.
  var redis: RedisServer
  /// Servers that are not in use any more; kept because they go when nobody holds them.
  var retired: [RedisServer] = []
  /// Servers that hold a part of the rooms and are never harmed.
  private let others: [RedisServer]
  private let harmsLast: Bool
  /// Between each node and Redis.
  let wires: [FaultProxy]
  /// Between some clients and each node.
  private(set) var gates: [FaultProxy] = []
  private(set) var nodes: [ClusterNode] = []
  let ports: [UInt16]
  let folder: String
  /// Of Redis and of the nodes; empty when they go by ours.
  let clocks: [ShiftedClock]
  private let flags: [String]
  private let minter: TokenMinter
  /// Nodes whose lease may rightly end: they were paused or killed.
  var mayBeFenced: Set<Int> = []
  private var random: SeededGenerator

  /// - Parameters:
  ///   - shifts: Redis and the nodes get clocks that can be set.
  ///   - otherServers: how many servers there are beside the one that is harmed.
  ///   - harmsLast: that one is the last of the nodes' list.
  init(
    seed: UInt64, redisOptions: [String], flags: [String] = [], shifts: Bool = false, otherServers: Int = 0,
    harmsLast: Bool = false
  ) throws {
    others = try (0..<otherServers).map { _ in try RedisServer() }
    self.harmsLast = harmsLast
    random = SeededGenerator(seed: seed)
    folder = "/tmp/roost-faults-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let place = folder
    let clocks = try shifts ? ["redis", "nodes"].map { try ShiftedClock(folder: place, name: $0) } : []
    self.clocks = clocks
    redis = try shifts ? clocks[0].startRedis(redisOptions) : RedisServer(redisOptions)
    let target = redis.port
    wires = try (0..<Self.count).map { try FaultProxy(target: target, seed: seed &+ UInt64($0)) }
    var ports: [UInt16] = []
    while ports.count < Self.count {
      // Below the range of outgoing connections: it must still be free when the node comes back. Not drawn by the
      // seed: two runs of one seed would share their ports, and their clients each other's nodes.
      let port = UInt16.random(in: 12_000..<19_000)
      guard let address = Address(host: "127.0.0.1", port: port), !ports.contains(port),
        (try? Listener(address, backlog: 1, sharesPort: false)) != nil
      else { continue }
      ports.append(port)
    }
    self.ports = ports
    gates = try ports.map { try FaultProxy(target: $0, seed: seed ^ UInt64($0), isNarrow: true) }
    self.flags =
      [
        "--shards", "1", "--rate-burst", "0", "--connections-per-address", "100000", "--connects-per-address", "100000",
        "--bytes-per-second", "0", "--questions-per-second", "1000", "--returns-per-minute", "1000",
        "--drain-wait", "0", "--handshake-time", "60", "--leave-grace", "6",
      ] + flags
    minter = try TokenMinter(secret: Array(Self.secret.utf8))
    try Data(Self.secret.utf8).write(to: URL(fileURLWithPath: folder + "/secret"))
  }

  deinit { for node in nodes { node.signal(SIGKILL) } }

  var doors: [Crowd.Door] {
    (0..<Self.count).map { .init(address: Address(host: "127.0.0.1", port: ports[$0])!, gate: gates[$0].address) }
  }

  func mint(_ user: String) -> String {
    let now = wallClockMilliseconds() / 1_000
    return minter.mint(Claims(userID: user, expiresAt: now + 36_000, issuedAt: now - 60))
  }

  // MARK: Nodes

  func startAll() async throws {
    for index in 0..<Self.count { nodes.append(try make(index)) }
    for index in 0..<Self.count { try await waitUntilReady(index) }
  }

  /// A fresh process in the place, and under the name, of one that ended.
  func restart(_ index: Int, wrapper: [String] = []) throws { nodes[index] = try make(index, wrapper: wrapper) }

  func waitUntilReady(_ index: Int) async throws {
    let node = nodes[index]
    try await ClusterUnderTest.eventually("\(node.name) is ready", seconds: Crowd.patience) { node.isReady }
  }

  private func make(_ index: Int, wrapper: [String] = []) throws -> ClusterNode {
    let wrapper = wrapper + (clocks.last?.wrapper ?? [])
    return try node(named: "node-\(index)", port: ports[index], wire: wires[index], wrapper: wrapper)
  }

  func node(named name: String, port: UInt16, wire: FaultProxy, wrapper: [String] = []) throws -> ClusterNode {
    let safe = others.map { "redis://127.0.0.1:\($0.port)" }
    let harmed = ["redis://127.0.0.1:\(wire.port)"]
    let servers = harmsLast ? safe + harmed : harmed + safe
    return try ClusterNode(
      name: name, port: port, flags: ["--redis-url", servers.joined(separator: ",")] + flags,
      secretFile: folder + "/secret", logPath: folder + "/\(name).log", wrapper: wrapper)
  }

  /// The sum of a metric's values on one node; 0 when it does not answer.
  func metric(_ name: String, of index: Int) -> Int {
    let text = nodes[index].fetch("/metrics")?.text ?? ""
    return text.split(separator: "\n").reduce(0) { sum, line in
      let isIt = line.hasPrefix(name + " ") || line.hasPrefix(name + "{")
      return sum + (isIt ? Int(Double(line.split(separator: " ").last ?? "") ?? 0) : 0)
    }
  }

  /// Leases lost by nodes that nobody had stopped.
  var wronglyReaped: Int {
    (0..<Self.count).filter { !mayBeFenced.contains($0) }.reduce(0) {
      $0 + metric("roost_presence_fenced_total", of: $1)
    }
  }

  /// The last lines that the nodes logged, for evidence.
  func logTail(_ lines: Int) -> [String] {
    (0..<Self.count).flatMap { index in
      let text = (try? String(contentsOfFile: folder + "/node-\(index).log", encoding: .utf8)) ?? ""
      return text.split(separator: "\n").suffix(lines).map { "node-\(index) \($0)" }
    }
  }

  // MARK: Redis

  /// Tells every node's proxy.
  func wireAll(_ order: FaultProxy.Order) { for wire in wires { wire.order(order) } }

  /// Seconds of a processor that Redis has used.
  var redisCPU: Double {
    let text = (try? redis.ask("INFO", "cpu")) ?? ""
    return text.split(whereSeparator: \.isNewline).reduce(0) { sum, line in
      guard line.hasPrefix("used_cpu_user:") || line.hasPrefix("used_cpu_sys:") else { return sum }
      return sum + (Double(line.split(separator: ":")[1]) ?? 0)
    }
  }

  /// Seconds of a processor that the nodes have used.
  var nodesCPU: Double { ProcessUsage(of: nodes.map(\.processID)).cpuSeconds }

  /// Puts another server in the place of the one in use; connections to the old one are not touched.
  func replace(by other: RedisServer) {
    retired.append(redis)
    redis = other
    wireAll(.target(other.port))
  }

  func stop() {
    for node in nodes { node.signal(SIGKILL) }
    redis.stop()
    for server in retired + others { server.stop() }
    try? FileManager.default.removeItem(atPath: folder)
  }
}
