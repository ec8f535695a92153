import EventLoops
import Foundation
import Glibc
import LoadGenerator

/// A Redis and several nodes for one test, on free ports of this machine.
public final class ClusterUnderTest {
  /// What `GET /ws/online` says.
  public struct Online: Codable, Equatable, Sendable {
    public var online: Int
    public var users: Int
    public var nodes: Int

    public init(online: Int, users: Int, nodes: Int) { (self.online, self.users, self.nodes) = (online, users, nodes) }
  }

  public struct Timeout: Error, CustomStringConvertible { public let description: String }

  public static let secret = "cluster-tests-have-no-secrets-0123456789"
  public let redis: RedisServer
  public private(set) var nodes: [ClusterNode] = []
  private let flags: [String]
  /// How long an answer may take, in milliseconds.
  private static let patience = 20_000

  /// - Parameter flags: for every node, beside those without which a test would only meet limits.
  public init(nodes count: Int, flags: [String] = []) async throws {
    redis = try RedisServer()
    self.flags =
      [
        "--redis-url", redis.url, "--shards", "1", "--rate-burst", "0", "--connections-per-address", "100000",
        "--connects-per-address", "100000", "--bytes-per-second", "0", "--questions-per-second", "1000",
        "--returns-per-minute", "1000", "--drain-wait", "0",
        // Tests wait for each other, on machines of any speed: what is not about time has plenty of it.
        "--handshake-time", "60", "--write-wait", "3600", "--ping-period", "3000", "--pong-wait", "3600",
      ] + flags
    try Data(Self.secret.utf8).write(to: URL(fileURLWithPath: secretFile))
    for index in 0..<count { nodes.append(try start("node-\(index)")) }
    for node in nodes { try await Self.eventually("\(node.name) is ready", seconds: 120) { node.isReady } }
  }

  deinit { for node in nodes { node.signal(SIGKILL) } }

  /// Starts a fresh node in the place of one that ended.
  public func restart(_ index: Int) async throws {
    let node = try start("\(nodes[index].name)-again")
    nodes[index] = node
    try await Self.eventually("\(node.name) is ready", seconds: 120) { node.isReady }
  }

  /// What the node says about the cluster; `nil` when it does not answer.
  public func online(_ index: Int) -> Online? {
    nodes[index].fetch("/ws/online", milliseconds: Self.patience).flatMap {
      try? JSONDecoder().decode(Online.self, from: Data($0.body))
    }
  }

  /// Waits until these nodes all say `expected`.
  public func waitForOnline(_ expected: Online, on indices: [Int], seconds: Double = 60) async throws {
    var said: [Online?] = []
    do {
      try await Self.eventually("", seconds: seconds) {
        said = indices.map { online($0) }
        return said.allSatisfy { $0 == expected }
      }
    } catch {
      throw Timeout(description: "after \(seconds) s the nodes say \(said) and not \(expected)")
    }
  }

  /// The value of a counter in a node's metrics, summed over its labels; `nil` when the node does not answer.
  public func metric(_ name: String, of index: Int) -> Double? {
    guard let text = nodes[index].fetch("/metrics", milliseconds: Self.patience)?.text else { return nil }
    return text.split(separator: "\n").reduce(0) { sum, line in
      let isIt = line.hasPrefix(name + " ") || line.hasPrefix(name + "{")
      return sum + (isIt ? Double(line.split(separator: " ").last ?? "") ?? 0 : 0)
    }
  }

  /// Asks until the answer is yes. For what has no event to wait for.
  public static func eventually(_ what: String, seconds: Double, _ isTrue: () -> Bool) async throws {
    let deadline = monotonicMilliseconds() + Int64(seconds * 1_000)
    while !isTrue() {
      guard monotonicMilliseconds() < deadline else { throw Timeout(description: "not within \(seconds) s: \(what)") }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  private var secretFile: String { redis.directory + "/secret" }

  private func start(_ name: String) throws -> ClusterNode {
    try ClusterNode(
      name: name, port: FreePorts.take(), flags: flags, secretFile: secretFile,
      logPath: redis.directory + "/\(name).log")
  }
}
