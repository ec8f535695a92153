import Glibc
import RealtimeCore
import RoostTesting
import Testing

@testable import RedisRelay

/// The ways to a Redis.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RedisAccessTests {
  @Test func `A unix socket, an ACL user, a database and a prefix`() throws {
    let server = try RedisServer()
    try server.ask(["ACL", "SETUSER", "roost", "on", ">p@ss:word/", "~app:*", "&app:*"] + Self.documentedRights())
    let bench = try RelayBench()
    let url = try RedisURL("unix://roost:p%40ss%3Aword%2F@\(server.unixSocket)?db=3")
    let node = bench.add(try RedisRelayConfiguration(server: url, nodeID: "n1", prefix: "app:"))
    try bench.waitConnected()
    try bench.register("i1", connections: 1, on: node)
    try bench.join("ann", "r", "i1", on: node)
    _ = try bench.publish(["a"], on: node)
    _ = try bench.roster(on: node)
    _ = try bench.call(.online, on: node)
    _ = try bench.call(.countUsers(incarnation: "i1", [UserCount(user: "ann", connections: nil)]), on: node)
    _ = try bench.heartbeat("i1", on: node)
    _ = try bench.call(.depart(incarnation: "i1", graceMilliseconds: 0), on: node)
    guard case .reaped(true) = try bench.call(.reap(incarnation: "i1"), on: node) else {
      throw RelayBench.TooLate(description: "not reaped")
    }
    try bench.wait("all frames") { node.frames.count == 3 }
    #expect(try server.ask("-n", "3", "KEYS", "*").split(separator: "\n").allSatisfy { $0.hasPrefix("app:") })
    #expect(try server.ask("-n", "0", "DBSIZE") == "0\n")
    #expect(node.notices.isEmpty && node.troubles.isEmpty, "nothing was denied")
  }

  /// The page's list is what the scripts use, no less and no more.
  @Test func `The rights that the page names are those that are needed`() throws {
    let rights = Set(try Self.documentedRights())
    let source = Script.allCases.map { script in
      script.source(
        .init(prefix: "", historyMessages: 1, historySeconds: 1, leaseMilliseconds: 1, heartbeatMilliseconds: 1))
    }
    var needed: Set<String> = ["-@all", "+evalsha", "+script|load", "+publish", "+subscribe", "+info", "+select"]
    needed.formUnion(["+unsubscribe", "+config|get"])
    for text in source {
      for call in text.split(separator: "redis.call('").dropFirst() {
        needed.insert("+" + call.prefix { $0 != "'" }.lowercased())
      }
    }
    #expect(rights.subtracting(needed).isEmpty && needed.subtracting(rights).isEmpty)
  }

  /// The rights in docs/REDIS.md: the lines that begin with a sign, within the block that begins with ACL SETUSER.
  private static func documentedRights() throws -> [String] {
    let file = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/docs/REDIS.md"
    let text = try TextFile.read(file)
    guard let block = text.split(separator: "```").first(where: { $0.contains("ACL SETUSER roost") }) else { return [] }
    return block.split(whereSeparator: { $0 == " " || $0.isNewline }).filter { $0.hasPrefix("+") || $0.hasPrefix("-@") }
      .map(String.init)
  }

  /// A failover as a name sees it: the way stays, and another server stands at its end.
  @Test func `A path that leads to another server after a failover is followed`() throws {
    let (first, second) = (try RedisServer(), try RedisServer())
    let path = first.directory + "/way"
    func lead(to server: RedisServer) {
      _ = unsafe unlink(path)
      _ = unsafe symlink(server.unixSocket, path)
    }
    lead(to: first)
    let bench = try RelayBench()
    let node = bench.add(try RedisRelayConfiguration(server: RedisURL("unix://\(path)"), nodeID: "n1"))
    try bench.waitConnected()
    let before = try bench.publish(["a", "b"], on: node)[1].position
    lead(to: second)
    first.kill()
    try bench.wait("the other server") { node.generations.count == 2 && node.troubles.last == .some(nil) }
    #expect(node.troubles == [.unreachable, nil])
    #expect(try bench.read("r", before, on: node).top == nil)
    #expect(try bench.publish(["c"], on: node)[0].position.offset == 1)
    #expect(try second.ask("XLEN", "ws:h:r") == "1\n")
  }

  @Test func `A name is resolved aside`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let url = try RedisURL("redis://localhost:\(server.port)")
    bench.add(try RedisRelayConfiguration(server: url, nodeID: "n1"))
    try bench.waitConnected()
  }

  @Test func `A Redis Cluster is refused in words`() throws {
    let bus = try RedisServer.freePort()
    let server = try RedisServer(["--cluster-enabled", "yes", "--cluster-port", "\(bus)"])
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.wait("a refusal") { node.notices.contains { $0.contains("cluster mode") } }
    try bench.wait("degraded") { node.state == .degraded }
  }
}

private enum TextFile {
  static func read(_ path: String) throws -> String {
    guard let file = unsafe fopen(path, "r") else { throw RelayBench.TooLate(description: "no file \(path)") }
    defer { unsafe fclose(file) }
    var (text, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 4_096))
    while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 { text += chunk[..<count] }
    return String(decoding: text, as: UTF8.self)
  }
}
