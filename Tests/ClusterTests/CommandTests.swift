import EventLoops
import Foundation
import Glibc
import LoadGenerator
import RoostTesting
import Testing
import Transport

/// `roost` as people run it.
@Suite("commands", .serialized, .timeLimit(.minutes(20)))
struct CommandTests {
  static let secret = "0123456789abcdef0123456789abcdef"

  /// A command with a clean environment.
  private func start(_ arguments: [String], _ environment: [String: String] = [:]) throws -> TestProcess {
    try TestProcess(
      [try ClusterNode.binary()] + arguments,
      environment: ["PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin"].merging(environment) { $1 })
  }

  private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> (code: CInt, text: String) {
    let process = try start(arguments, environment)
    return (process.ended(), process.text)
  }

  @Test(arguments: [
    ["help"], ["--version"], ["serve", "--help"], ["cluster", "--help"], ["token", "--help"], ["bench", "--help"],
    ["chat", "--help"], ["publish", "--help"], ["status", "--help"],
  ])
  func `help is there`(arguments: [String]) throws {
    let (code, text) = try run(arguments)
    #expect(code == 0)
    #expect(text.contains("oost"))
  }

  @Test(arguments: [
    [], ["fly"], ["token"], ["token", "--user", "a", "--secret", "x"], ["bench"], ["bench", "fanout"],
    ["cluster", "--nodes", "0"],
    ["chat"], ["publish"], ["status"],
  ])
  func `misuse is told and answered by 2`(arguments: [String]) throws {
    let (code, text) = try run(arguments)
    #expect(code == 2)
    #expect(!text.isEmpty)
  }

  @Test func `a token is one line, and a short secret makes none`() throws {
    let (code, text) = try run(["token", "--user", "42", "--lifetime", "60"], ["ROOST_SECRET": Self.secret])
    #expect(code == 0)
    #expect(text.split(separator: ".").count == 3)
    #expect(text.filter { $0 == "\n" }.count == 1)
    #expect(try run(["token", "--user", "42"], ["ROOST_SECRET": "short"]).code == 2)
  }

  @Test func `check tells everything and starts nothing`() throws {
    let good = try run(["serve", "--check"], ["ROOST_SECRET": Self.secret])
    #expect(good.code == 0)
    #expect(!good.text.contains(Self.secret))
    let bad = try run(["serve", "--check", "--port", "x", "--ping-period", "100"])
    #expect(bad.code == 1)
    #expect(bad.text.split(separator: "\n").filter { $0.hasPrefix("problem: ") }.count == 3)
    #expect(try run(["serve"]).code == 1)
  }

  @Test func `a node says what it does and what waits on SIGUSR1, and goes on`() throws {
    let process = try start(["serve", "--port", "\(freePorts())"], ["ROOST_SECRET": Self.secret])
    #expect(process.says("node ready"))
    process.signal(SIGUSR1)
    #expect(process.says("backlogs"))
    for word in ["relay=", "shard=0", "loop=0", "clients=0"] { #expect(process.says(word)) }
    process.signal(SIGTERM)
    #expect(process.ended() == 0)
    #expect(process.text.contains("stopped"))
  }

  @Test func `a health check is the node's health`() throws {
    #expect(try run(["serve", "--healthcheck", "--port", "\(freePorts())"]).code == 1)
  }

  @Test func `a node with a certificate is healthy, and reads it again on SIGHUP`() async throws {
    let certificates = try TestCertificates()
    let files = try certificates.make("node")
    let place = ["--port", "\(try freePorts())", "--tls-cert", files.certificateFile, "--tls-key", files.keyFile]
    let process = try start(["serve"] + place, ["ROOST_SECRET": Self.secret])
    #expect(process.says("node ready"))
    try await isHealthy(place)
    process.signal(SIGHUP)
    #expect(process.says("certificate reloaded"))
    #expect(process.says("keys reloaded"))
    let foreign = TLSIdentity(certificateFile: certificates.authority, keyFile: files.keyFile)
    try certificates.replace(files, by: foreign)
    process.signal(SIGHUP)
    #expect(process.says("does not belong"))
    #expect(process.text.contains("the one before stays"))
    try await isHealthy(place)
    let check = try run(["serve", "--check"] + place, ["ROOST_SECRET": Self.secret])
    #expect(check.code == 1 && check.text.contains("problem: tls-cert, tls-key: "))
    process.signal(SIGTERM)
    #expect(process.ended() == 0)
  }

  // MARK: Cluster

  /// The first of some free ports in a row: for a balancer and two nodes.
  private func freePorts() throws -> UInt16 { try FreePorts.take(3) }

  /// Whether the node is healthy, by its own word; it has two seconds to say so, so it may be asked again.
  private func isHealthy(_ place: [String]) async throws {
    try await ClusterUnderTest.eventually("it is healthy", seconds: 60) {
      (try? run(["serve", "--healthcheck"] + place))?.code == 0
    }
  }

  private func children(of process: TestProcess) -> [pid_t] {
    let listed = try? String(
      contentsOfFile: "/proc/\(process.processID)/task/\(process.processID)/children", encoding: .utf8)
    return (listed ?? "").split(separator: " ").compactMap { pid_t($0) }
  }

  /// A cluster that has said everything it says at the start.
  private func startCluster() async throws -> TestProcess {
    let port = try freePorts()
    let process = try start(["cluster", "--nodes", "2", "--port", "\(port)"])
    #expect(process.says("--secret-file"))
    let address = try #require(Address(host: "127.0.0.1", port: port))
    try await ClusterUnderTest.eventually("it answers", seconds: 60) {
      HTTPProbe.get("/ws/online", from: address)?.status == 200
    }
    return process
  }

  private func waitUntilGone(_ processes: [pid_t]) async throws {
    try await ClusterUnderTest.eventually("all children are gone", seconds: 120) {
      processes.allSatisfy { kill($0, 0) != 0 }
    }
  }

  @Test func `a cluster starts, answers, and stops with 0`() async throws {
    let process = try await startCluster()
    let children = children(of: process)
    #expect(children.count >= 3)
    process.signal(SIGTERM)
    #expect(process.ended() == 0)
    let text = process.text
    for word in ["alice", "bob", "42", "/dashboard", "roost chat", "curl", "roost token"] {
      #expect(text.contains(word), "\(word)")
    }
    try await waitUntilGone(children)
    let folder = try #require(text.firstMatch(of: /\/tmp\/roost-\w{6}/)).output
    #expect(!FileManager.default.fileExists(atPath: String(folder)))
  }

  /// Redis is its first child, then come the nodes.
  @Test func `a cluster without Redis ends with 1`() async throws {
    let process = try await startCluster()
    let children = children(of: process)
    kill(try #require(children.first), SIGKILL)
    #expect(process.ended() == 1)
    #expect(process.text.contains("redis ended unexpectedly (137): stopping all"))
    try await waitUntilGone(children)
  }

  @Test func `a cluster goes on without a node, and ends with 1 without any`() async throws {
    let process = try await startCluster()
    let children = children(of: process)
    kill(try #require(children.dropFirst().first), SIGKILL)
    #expect(process.says("node-1 ended (137), 1 go on"))
    #expect(children.filter { kill($0, 0) == 0 }.count == children.count - 1)
    kill(try #require(children.dropFirst(2).first), SIGKILL)
    #expect(process.ended() == 1)
    #expect(process.text.contains("node-2 ended unexpectedly (137): stopping all"))
    try await waitUntilGone(children)
  }

  @Test func `a node that was asked to drain leaves the cluster to the others`() async throws {
    let process = try await startCluster()
    let children = children(of: process)
    // Redis is the first.
    kill(try #require(children.dropFirst().first), SIGTERM)
    #expect(process.says("node-1 has drained, 1 go on"))
    process.signal(SIGTERM)
    #expect(process.ended() == 0)
    try await waitUntilGone(children)
  }

  @Test func `nothing outlives a cluster that was killed`() async throws {
    let process = try await startCluster()
    let children = children(of: process)
    process.signal(SIGKILL)
    #expect(process.ended() == 128 + SIGKILL)
    try await waitUntilGone(children)
    if let folder = process.text.firstMatch(of: /\/tmp\/roost-\w{6}/)?.output {
      try FileManager.default.removeItem(atPath: String(folder))
    }
  }
}
