import RealtimeCore
import RedisRelay
import RoostTesting
import Testing

/// What the topology with a channel per room adds to the contract.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RoomTopologyTests {
  private func configuration(
    _ server: RedisServer, _ node: String, _ topology: RelayTopology = .rooms
  ) throws -> RedisRelayConfiguration {
    var configuration = try RedisRelayConfiguration.test(server, node: node)
    configuration.topology = topology
    return configuration
  }

  @Test func `Only nodes that follow a room are sent what is said in it`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let (near, far) = (
      bench.add(try configuration(server, "n1")), bench.add(try configuration(server, "n2"))
    )
    try bench.waitConnected()
    try bench.follow("r", on: near)
    try bench.follow("other", on: far)
    _ = try bench.publish(["a"], on: far)
    try bench.register("i1", on: far)
    try bench.join("ann", "r", "i1", on: far)
    _ = try bench.call(.tell(RoomName("r")!, Array("typing".utf8)), on: far)
    try bench.wait("three frames") { near.frames.count == 3 }
    #expect(near.frames[0].contains(#""offset":1"#) && near.frames[1].contains("user_joined"))
    #expect(near.frames[2] == "typing")
    _ = try bench.call(.broadcast(Array("all".utf8)), on: near)
    try bench.wait("what is for all") { near.frames.last == "all" && far.frames == ["all"] }
  }

  @Test func `Other programs reach every node on the old channel`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let nodes = [bench.add(try configuration(server, "n1")), bench.add(try configuration(server, "n2"))]
    try bench.waitConnected()
    let text = #"{"type":"new_message","room":"r","payload":{"content":"hi"}}"#
    try server.ask("PUBLISH", "ws:broadcast", text)
    try bench.wait("both have it") { nodes.allSatisfy { $0.frames == [text] } }
  }

  @Test func `Lost subscriptions all come back, and are told of once`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try configuration(server, "n1"))
    try bench.waitConnected()
    for number in 0..<2_500 { node.relay.follow(RoomName("r\(number)")!) }
    try bench.wait("all are followed") { node.followed.count == 2_500 }
    node.events = []
    try server.ask("CLIENT", "KILL", "TYPE", "pubsub")
    try bench.wait("resubscribed") { node.resubscriptions == 1 }
    #expect(node.followed.isEmpty)
    for number in [0, 1_000, 2_499] { _ = try bench.publish(["x"], room: "r\(number)", on: node) }
    try bench.wait("frames of all") { node.frames.count == 3 }
  }

  @Test func `A room that is followed while the subscriber is away is told of with the others`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try configuration(server, "n1"))
    node.relay.follow(RoomName("r")!)
    try bench.waitConnected()
    #expect(node.resubscriptions == 1 && node.followed.isEmpty)
    _ = try bench.publish(["x"], on: node)
    try bench.wait("its frame") { node.frames.count == 1 }
  }

  @Test func `A node that relays in another way is refused while the others live`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try configuration(server, "n1"))
    try bench.waitConnected()
    try bench.register("i1", on: node)
    let other = bench.add(try configuration(server, "n2", .broadcast))
    try bench.wait("a word about it") { other.troubles.contains(.otherTopology) }
    try bench.wait("degraded") { other.state == .degraded }
    #expect(other.notices.contains { $0.contains("--relay-topology") && $0.contains("rooms") })
    #expect(node.generations.count == 1 && node.state == .connected)
    #expect(try bench.publish(["x"], on: node)[0].position.offset == 1)
  }

  @Test func `When all have departed the way may change, and who comes back the old way is refused`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try configuration(server, "n1", .broadcast))
    try bench.waitConnected()
    try bench.register("i1", on: node)
    let first = node.generations
    _ = try bench.call(.depart(incarnation: "i1", graceMilliseconds: 0), on: node)
    let other = bench.add(try configuration(server, "n2"))
    try bench.wait("it is let in") { other.state == .connected }
    #expect(other.generations != first, "a generation of its own")
    try bench.register("i2", on: other)
    #expect(try bench.call(.online, on: node).failure == .staleGeneration)
    try bench.wait("a word about it") { node.troubles.contains(.otherTopology) }
    #expect(other.state == .connected)
  }
}
