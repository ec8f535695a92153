import EventLoops
import Foundation
import Glibc
import LoadGenerator
import RoostTesting
import Tokens

/// A Redis, nodes that come and go, and a balancer in front of all places where there may be one.
@MainActor
final class RollingSite {
  static let secret = "rolling-restarts-have-no-secrets-0123456789"

  let redis: RedisServer
  let balancer: Balancer
  /// By place; `nil` where no node has been yet.
  private(set) var nodes: [ClusterNode?]
  private let ports: [UInt16]
  private let folder: String
  private let flags: [String]
  private let minter: TokenMinter

  init(places: Int, connections: Int, flags: [String]) throws {
    folder = "/tmp/roost-rolling-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    redis = try RedisServer()
    ports = try Self.freePorts(places + 1)
    balancer = try Balancer(
      port: ports[places], nodes: Array(ports.prefix(places)), connections: connections, folder: folder)
    nodes = Array(repeating: nil, count: places)
    minter = try TokenMinter(secret: Array(Self.secret.utf8))
    try Data(Self.secret.utf8).write(to: URL(fileURLWithPath: folder + "/secret"))
    self.flags =
      [
        "--redis-url", redis.url, "--shards", "2", "--rate-burst", "0", "--connections-per-address", "100000",
        "--connects-per-address", "100000", "--bytes-per-second", "0", "--questions-per-second", "1000",
        "--returns-per-minute", "1000",
      ] + flags
  }

  /// Below the range of outgoing connections: they must still be free when a node comes back.
  private static func freePorts(_ count: Int) throws -> [UInt16] {
    var ports: [UInt16] = []
    while ports.count < count {
      let port = UInt16.random(in: 19_000..<26_000)
      guard let address = Address(host: "127.0.0.1", port: port), !ports.contains(port),
        (try? Listener(address, backlog: 1, sharesPort: false)) != nil
      else { continue }
      ports.append(port)
    }
    return ports
  }

  var door: Crowd.Door { .init(address: balancer.address, gate: balancer.address) }

  func mint(_ user: String) -> String {
    let now = wallClockMilliseconds() / 1_000
    return minter.mint(Claims(userID: user, expiresAt: now + 36_000, issuedAt: now - 60))
  }

  /// Starts a node in a place and waits until it is ready.
  func start(_ place: Int) async throws {
    let node = try ClusterNode(
      name: "node-\(place)", port: ports[place], flags: flags, secretFile: folder + "/secret",
      logPath: folder + "/node-\(place).log")
    nodes[place] = node
    try await ClusterUnderTest.eventually("\(node.name) is ready", seconds: 20) { node.isReady }
  }

  /// Sends SIGTERM; the exit code.
  func end(_ place: Int) async -> CInt {
    guard let node = nodes[place] else { return -1 }
    node.signal(SIGTERM)
    return await node.ended()
  }

  /// WebSockets of each node.
  var spread: [Int] { nodes.indices.filter { nodes[$0] != nil }.map(connections) }

  /// WebSockets of the node in a place; -1 when it does not say.
  func connections(_ place: Int) -> Int {
    struct Stats: Decodable { var active_connections: Int }
    let body = nodes[place]?.fetch("/ws/stats")?.body ?? []
    return (try? JSONDecoder().decode(Stats.self, from: Data(body)))?.active_connections ?? -1
  }

  /// How many nodes Redis takes for living.
  func leases() throws -> Int {
    let words = try redis.ask("zcard", "ws:p:leases")
    return Int(words.prefix { $0.isNumber }) ?? -1
  }

  /// How many connections nodes have ended for this reason since they were started.
  func closes(_ reason: String) -> Int {
    nodes.compactMap(\.self).reduce(0) { sum, node in
      let lines = (node.fetch("/metrics")?.text ?? "").split(separator: "\n")
      let line = lines.first { $0.hasPrefix("roost_closes_total{") && $0.contains("reason=\"\(reason)\"") }
      return sum + (line?.split(separator: " ").last.flatMap { Int($0) } ?? 0)
    }
  }

  func logTail(_ lines: Int) -> [String] {
    nodes.indices.map { "node-\($0)" }.flatMap { name in
      let text = (try? String(contentsOfFile: "\(folder)/\(name).log", encoding: .utf8)) ?? ""
      return text.split(separator: "\n").suffix(lines).map { "\(name) \($0)" }
    }
  }

  func stop() {
    for node in nodes { node?.signal(SIGKILL) }
    balancer.stop()
    redis.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }
}
