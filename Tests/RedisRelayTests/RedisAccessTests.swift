import RealtimeCore
import RedisRelay
import RoostTesting
import Testing

/// The ways to a Redis.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct RedisAccessTests {
  @Test func `A unix socket, an ACL user, a database and a prefix`() throws {
    let server = try RedisServer()
    try server.ask(
      "ACL", "SETUSER", "roost", "on", ">p@ss:word/", "~app:*", "&app:*", "-@all", "+@read", "+@write", "+@pubsub",
      "+@scripting", "+info", "+auth", "+select", "+time")
    let bench = try RelayBench()
    let url = try RedisURL("unix://roost:p%40ss%3Aword%2F@\(server.unixSocket)?db=3")
    let node = bench.add(try RedisRelayConfiguration(server: url, nodeID: "n1", prefix: "app:"))
    try bench.waitConnected()
    try bench.register("i1", connections: 1, on: node)
    try bench.join("ann", "r", "i1", on: node)
    _ = try bench.publish(["a"], on: node)
    _ = try bench.roster(on: node)
    _ = try bench.call(.online, on: node)
    _ = try bench.heartbeat("i1", on: node)
    _ = try bench.call(.depart(incarnation: "i1", graceMilliseconds: 0), on: node)
    guard case .reaped(true) = try bench.call(.reap(incarnation: "i1"), on: node) else {
      throw RelayBench.TooLate(description: "not reaped")
    }
    try bench.wait("all frames") { node.frames.count == 3 }
    #expect(try server.ask("-n", "3", "KEYS", "*").split(separator: "\n").allSatisfy { $0.hasPrefix("app:") })
    #expect(try server.ask("-n", "0", "DBSIZE") == "0\n")
  }

  @Test func `A name is resolved aside`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let url = try RedisURL("redis://localhost:\(server.port)")
    bench.add(try RedisRelayConfiguration(server: url, nodeID: "n1"))
    try bench.waitConnected()
  }

  @Test func `A Redis Cluster is refused in words`() throws {
    let server = try RedisServer(["--cluster-enabled", "yes"])
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.wait("a refusal") { node.notices.contains { $0.contains("cluster mode") } }
    try bench.wait("degraded") { node.state == .degraded }
  }

  @Test func `Missing permission is a refusal of that request`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    _ = try bench.publish(["a"], on: node)
    try server.ask("ACL", "SETUSER", "default", "-xadd")
    let reply = try bench.call(.publish(RoomName("r")!, [RelayBench.publication("b")]), on: node)
    guard case .refused? = reply.failure else { throw RelayBench.TooLate(description: "\(reply)") }
    #expect(node.state == .connected)
  }
}
