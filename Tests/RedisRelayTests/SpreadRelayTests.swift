import EventLoops
import RealtimeCore
import RoostTesting
import Testing

@testable import RedisRelay

/// Several servers as one relay: what goes beyond the contract.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct SpreadRelayTests {
  /// Rooms by the server that they are on, of two.
  private let homes: [[String]] = {
    let names = (0..<40).map { "r\($0)" }
    let spread = RoomSpread(servers: 2)
    return (0..<2).map { server in names.filter { spread.server(of: RoomName($0)!) == server } }
  }()

  @Test func `A room's server is the same on every machine, and in every version`() {
    let spread = RoomSpread(servers: 3)
    #expect((0..<8).map { spread.server(of: RoomName("room-\($0)")!) } == [1, 0, 2, 1, 1, 1, 2, 1])
    #expect(RoomSpread(servers: 1).server(of: RoomName("r")!) == 0)
  }

  @Test func `Rooms are spread evenly, and one more server takes rooms from all and moves no others`() {
    let (before, after) = (RoomSpread(servers: 3), RoomSpread(servers: 4))
    var counts = [0, 0, 0, 0]
    for number in 0..<10_000 {
      let room = RoomName("room:\(number)")!
      let (old, new) = (before.server(of: room), after.server(of: room))
      counts[new] += 1
      #expect(new == old || new == 3)
    }
    #expect(counts.allSatisfy { (2_300...2_700).contains($0) }, "\(counts)")
  }

  @Test func `Messages and presence of a room are on its server, users on the first`() throws {
    let servers = [try RedisServer(), try RedisServer()]
    let bench = try RelayBench()
    let node = try bench.addSpread(servers)
    try bench.waitConnected()
    try bench.register("i1", connections: 2, on: node)
    for home in 0..<2 {
      _ = try bench.publish(["a"], room: homes[home][0], on: node)
      try bench.join("ann", homes[home][0], "i1", on: node)
    }
    try bench.join("ann", nil, "i1", on: node)
    for home in 0..<2 {
      let other = 1 - home
      #expect(try servers[home].ask("EXISTS", "ws:h:\(homes[home][0])", "ws:p:r:\(homes[home][0])").contains("2"))
      #expect(try servers[other].ask("EXISTS", "ws:h:\(homes[home][0])", "ws:p:r:\(homes[home][0])").contains("0"))
      #expect(try servers[home].ask("ZCARD", "ws:p:leases").contains("1"), "a lease on each")
    }
    guard case .online(2, 1, 1) = try bench.call(.online, on: node) else { return #expect(Bool(false), "not online") }
    try bench.wait("all frames") { node.frames.count == 4 }
    for frame in node.frames { #expect(frame.hasSuffix(#""token":"\#(node.token)"}"#), "\(frame)") }
  }

  @Test func `What is read over several servers comes in the order of the question`() throws {
    let servers = [try RedisServer(), try RedisServer()]
    let bench = try RelayBench()
    let node = try bench.addSpread(servers)
    try bench.waitConnected()
    let rooms = [homes[1][0], homes[0][0], homes[1][1], homes[0][1]].map { RoomName($0)! }
    for (count, room) in rooms.enumerated() {
      for id in 0...count { _ = try bench.publish(["m\(id)"], room: room.text, on: node) }
    }
    guard case .read(let reads) = try bench.call(.read(rooms.map { ($0, nil) }), on: node) else { return }
    #expect(reads.map(\.room) == rooms && reads.map { $0.top?.offset } == [1, 2, 3, 4])
  }

  @Test(arguments: 0..<2)
  func `A server that is away takes only its rooms, and is told of everything when it is back`(_ away: Int) throws {
    let servers = [try RedisServer(), try RedisServer()]
    let bench = try RelayBench()
    let node = try bench.addSpread(servers)
    try bench.waitConnected()
    try bench.register("i1", on: node)
    let (lost, kept) = (homes[away][0], homes[1 - away][0])
    let before = try bench.publish(["a"], room: kept, on: node)[0].position
    _ = try bench.publish(["a"], room: lost, on: node)
    servers[away].kill()
    try bench.wait("it is away") { node.relay.states[away] == .degraded }
    #expect(node.troubles.contains(.unreachable))
    #expect(try bench.publish(["b"], room: kept, on: node)[0].position.offset == before.offset + 1)
    let request = RelayRequest.publish(RoomName(lost)!, [RelayBench.publication("b", room: lost)])
    #expect(try bench.call(request, on: node).failure == .unavailable)
    let joins = [lost, kept].map { PresenceChange(room: RoomName($0), user: "ann", name: "ann", isJoin: true) }
    #expect(try bench.change("i1", joins, on: node).failure == nil)
    #expect(try bench.roster(kept, on: node).count == 1)
    guard case .alive = try bench.heartbeat("i1", on: node) else { return #expect(Bool(false), "the lease is held") }
    #expect(node.state == .connected && node.generations.count == 1)
    try servers[away].start()
    try bench.wait("a beginning") { node.generations.count == 2 }
    #expect(try bench.publish(["c"], room: lost, on: node)[0].position.offset == 1)
    #expect(try bench.read(kept, before, on: node).isComplete, "the other server's rooms are what they were")
  }

  @Test func `A server that only could not be reached is told again what it was not told`() throws {
    let servers = [try RedisServer(), try RedisServer()]
    let bench = try RelayBench()
    let node = try bench.addSpread(servers)
    try bench.waitConnected()
    try bench.register("i1", on: node)
    servers[1].pause()
    try bench.wait("it is given up") { node.relay.states[1] == .degraded }
    try bench.join("ann", homes[1][0], "i1", on: node)
    servers[1].resume()
    try bench.wait("a beginning") { node.generations.count == 2 }
    #expect(Set(node.generations).count == 1)
  }

  @Test func `Only a server's own token makes a frame one of the nodes`() throws {
    let servers = [try RedisServer(), try RedisServer()]
    let bench = try RelayBench()
    let node = try bench.addSpread(servers)
    try bench.waitConnected()
    let tokens = try servers.map { String(try $0.ask("GET", "ws:gen").filter { !$0.isWhitespace }.suffix(32)) }
    let frames = [0, 1].map { #"{"type":"chat","payload":1,"token":"\#(tokens[$0])"}"# }
    try servers[0].ask("PUBLISH", "ws:broadcast", frames[1])
    try servers[0].ask("PUBLISH", "ws:broadcast", frames[0])
    try bench.wait("both") { node.frames.count == 2 }
    #expect(node.frames[0] == frames[1], "another server's token is nothing here")
    #expect(node.frames[1] == #"{"type":"chat","payload":1,"token":"\#(node.token)"}"#)
  }

  @Test func `A node with another list of servers is refused`() throws {
    let servers = [try RedisServer(), try RedisServer()]
    let bench = try RelayBench()
    let node = try bench.addSpread(servers)
    try bench.waitConnected()
    try bench.register("i1", on: node)
    let turned = try bench.addSpread([servers[1], servers[0]], node: "n2")
    let alone = bench.add(try .test(servers[0], node: "n3"))
    try bench.wait("a word about it") {
      turned.troubles.contains(.otherTopology) && alone.troubles.contains(.otherTopology)
    }
    #expect(turned.generations.isEmpty && alone.generations.isEmpty)
  }
}
