import RealtimeCore
import RedisRelay
import RoostTesting
import Simulation
import Testing

/// The promises of the seam, which every relay keeps alike.
enum RelayKind: CaseIterable {
  case local, redis, simulated, redisRooms, simulatedRooms, spread, spreadRooms

  var topology: RelayTopology {
    switch self {
    case .local, .redis, .simulated, .spread: .broadcast
    case .redisRooms, .simulatedRooms, .spreadRooms: .rooms
    }
  }
}

/// One node with a relay of a kind, connected.
final class ContractSetup {
  let bench: RelayBench
  let node: BenchNode
  private var servers: [RedisServer] = []

  init(_ kind: RelayKind, history: Int = 300) throws {
    let world = kind == .simulated || kind == .simulatedRooms ? World(seed: 7) : nil
    bench = try RelayBench(world: world)
    switch kind {
    case .simulated, .simulatedRooms:
      node = try SimulatedServers(world: world!, history: history, topology: kind.topology).add(to: bench)
    case .local:
      node = bench.addLocal(seed: 7, history: history)
    case .redis, .redisRooms:
      let server = try RedisServer()
      servers = [server]
      var configuration = try RedisRelayConfiguration.test(server, node: "n1", history: history)
      configuration.topology = kind.topology
      node = bench.add(configuration)
    case .spread, .spreadRooms:
      servers = [try RedisServer(), try RedisServer()]
      node = try bench.addSpread(servers, history: history, topology: kind.topology)
    }
    try bench.waitConnected()
    // Tests look at what is said in one room; a relay with channels must be told so, as hubs do.
    guard kind.topology == .rooms else { return }
    try bench.follow("r", on: node)
  }
}

@Suite(.serialized, .timeLimit(.minutes(30)))
struct RelayContract {
  @Test(arguments: RelayKind.allCases)
  func `A new relay tells its generation, its subscription and its state`(_ kind: RelayKind) throws {
    let node = try ContractSetup(kind).node
    #expect(node.generations.count == 1)
    #expect(!node.token.isEmpty)
    #expect(node.resubscriptions == 1)
    #expect(node.state == .connected)
  }

  @Test(arguments: RelayKind.allCases)
  func `Messages are numbered from one on, per room, in the order of the batch`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    let first = try bench.publish(["a", "b", "c"], on: node)
    #expect(first.map(\.position.offset) == [1, 2, 3])
    #expect(Set(first.map(\.position.epoch)).count == 1)
    #expect(first.allSatisfy { !$0.isDuplicate })
    #expect(try bench.publish(["d"], on: node).map(\.position.offset) == [4])
    #expect(try bench.publish(["a"], room: "other", on: node).map(\.position.offset) == [1])
  }

  @Test(arguments: RelayKind.allCases)
  func `A repeated message is answered with its first place`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    let first = try bench.publish(["a", "b"], on: node)
    let again = try bench.publish(["b", "c", "a", "c"], on: node)
    #expect(again.map(\.position.offset) == [2, 3, 1, 3])
    #expect(again.map(\.isDuplicate) == [true, false, true, true])
    #expect(again[0].position == first[1].position)
    // another user, another room: another message
    #expect(try bench.publish(["a"], user: "v", on: node)[0].isDuplicate == false)
    #expect(try bench.publish(["a"], room: "r2", on: node)[0].isDuplicate == false)
    #expect(try bench.read("r", Position(epoch: first[0].position.epoch, offset: 0), on: node).messages.count == 4)
  }

  @Test(arguments: RelayKind.allCases)
  func `Reading proves that nothing is missing, or says so`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind, history: 5)
    let (bench, node) = (setup.bench, setup.node)
    for id in 1...8 { _ = try bench.publish(["m\(id)"], on: node) }
    let top = try #require(try bench.read("r", nil, on: node).top)
    #expect(top.offset == 8)

    let rest = try bench.read("r", Position(epoch: top.epoch, offset: 3), on: node)
    #expect(rest.isComplete)
    #expect(rest.known == Position(epoch: top.epoch, offset: 3))
    #expect(rest.messages.map(\.offset) == [4, 5, 6, 7, 8])
    #expect(rest.messages.first?.text == RelayBench.publication("m4").text)

    let nothing = try bench.read("r", top, on: node)
    #expect(nothing.isComplete && nothing.messages.isEmpty)
    #expect(try !bench.read("r", Position(epoch: top.epoch, offset: 2), on: node).isComplete)
    #expect(try !bench.read("r", Position(epoch: top.epoch, offset: 9), on: node).isComplete)
    #expect(try !bench.read("r", Position(epoch: "other", offset: 8), on: node).isComplete)
    let unknown = try bench.read("nowhere", nil, on: node)
    #expect(unknown.top == nil && !unknown.isComplete)
  }

  @Test(arguments: RelayKind.allCases)
  func `History is the last messages, or those before an offset`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind, history: 5)
    let (bench, node) = (setup.bench, setup.node)
    #expect(try bench.history(on: node).top == nil)
    let empty = try bench.roster(on: node).top
    let none = try bench.history(on: node)
    #expect(none.top == empty && none.messages.isEmpty)
    for id in 1...8 { _ = try bench.publish(["m\(id)"], on: node) }
    let all = try bench.history(on: node)
    #expect(all.top == Position(epoch: empty.epoch, offset: 8))
    #expect(all.messages.map(\.offset) == [4, 5, 6, 7, 8])
    #expect(all.messages.first?.text == RelayBench.publication("m4").text)
    func offsets(_ before: Int?, _ limit: Int) throws -> [Int] {
      try bench.history(before: before, limit: limit, on: node).messages.map(\.offset)
    }
    #expect(try offsets(nil, 2) == [7, 8] && offsets(7, 2) == [5, 6] && offsets(6, 100) == [4, 5])
    #expect(try offsets(9, 1) == [8] && offsets(.max, 1) == [8] && offsets(4, 5) == [])
    #expect(try offsets(1, 5) == [] && offsets(0, 5) == [])
  }

  @Test(arguments: RelayKind.allCases)
  func `A room without messages has an epoch, and keeps it`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    let roster = try bench.roster(on: node)
    #expect(roster.count == 0 && roster.members.isEmpty)
    #expect(roster.top.offset == 0 && !roster.top.epoch.isEmpty)
    #expect(try bench.publish(["a"], on: node)[0].position == Position(epoch: roster.top.epoch, offset: 1))
    let read = try bench.read("r", roster.top, on: node)
    #expect(read.isComplete && read.messages.map(\.offset) == [1])
  }

  @Test(arguments: RelayKind.allCases)
  func `A user joins once and leaves once, and both are told once`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    try bench.register("i1", on: node)
    try bench.join("ann", "r", "i1", on: node)
    try bench.join("ann", "r", "i1", on: node)
    let roster = try bench.roster(on: node)
    #expect(roster.members == [Identity(user: "ann", name: "ann!")!])
    #expect(roster.count == 1)
    try bench.leave("ann", "r", "i1", on: node)
    try bench.leave("ann", "r", "i1", on: node)
    try bench.wait("both frames") { node.frames.count >= 2 }
    bench.run(milliseconds: 30)
    let frames = try node.frames.map { try unsafe RelayFrame.parse(Array($0.utf8).span.bytes) }
    #expect(frames.map(\.kind) == [.userJoined, .userLeft])
    #expect(frames.allSatisfy { $0.senderID == "ann" && $0.room == RoomName("r") })
    let versions = frames.compactMap(\.version)
    #expect(versions.count == 2 && versions[0] < versions[1])
    #expect(frames.compactMap(\.count) == [1, 0])
    #expect(versions[0] <= roster.version && roster.version < versions[1])
    #expect(try bench.roster(on: node).count == 0)
  }

  @Test(arguments: RelayKind.allCases)
  func `Presence that is only made known again is not told`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    try bench.register("i1", on: node)
    let silent = PresenceChange(room: RoomName("r"), user: "ann", name: "Ann", isJoin: true, isAnnounced: false)
    #expect(try !bench.change("i1", [silent], on: node).isFenced)
    try bench.join("bob", "r", "i1", on: node)
    try bench.wait("a frame") { !node.frames.isEmpty }
    #expect(node.frames.count == 1 && node.frames[0].contains("bob"))
    #expect(try bench.roster(on: node).count == 2)
  }

  @Test(arguments: RelayKind.allCases)
  func `Big rooms show a hundred names and the exact count`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    try bench.register("i1", on: node)
    let users = (0..<250).map { PresenceChange(room: RoomName("r"), user: "u\($0)", name: "N\($0)", isJoin: true) }
    for start in stride(from: 0, to: users.count, by: RelayLimits.changesPerRequest) {
      let slice = Array(users[start..<(start + RelayLimits.changesPerRequest)])
      #expect(try !bench.change("i1", slice, on: node).isFenced)
      if start == 150 { #expect(try bench.roster(on: node).members.count == 200) }
    }
    let roster = try bench.roster(on: node)
    #expect(roster.count == 250)
    #expect(Set(roster.members.map(\.user)).count == 100)
  }

  @Test(arguments: RelayKind.allCases)
  func `Users online are distinct, with or without a room`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    try bench.register("i1", connections: 3, on: node)
    try bench.join("ann", nil, "i1", on: node)
    try bench.join("bob", nil, "i1", on: node)
    try bench.leave("bob", nil, "i1", on: node)
    guard case .online(3, 1, 1) = try bench.call(.online, on: node) else { throw RelayBench.TooLate(description: "") }
    _ = try bench.call(.countConnections(incarnation: "i1", 5), on: node)
    guard case .online(5, 1, 1) = try bench.call(.online, on: node) else { throw RelayBench.TooLate(description: "") }
    #expect(node.frames.isEmpty)
  }

  @Test(arguments: RelayKind.allCases)
  func `Connections of a user count on the other nodes`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    func elsewhere(_ incarnation: String, _ counts: [(String, Int?)]) throws -> [Int] {
      let users = counts.map { UserCount(user: $0.0, connections: $0.1) }
      guard case .counted(let elsewhere) = try bench.call(.countUsers(incarnation: incarnation, users), on: node)
      else { throw RelayBench.TooLate(description: "not counted") }
      return elsewhere
    }
    try bench.register("i1", on: node)
    try bench.join("ann\"", nil, "i1", on: node)
    #expect(try elsewhere("i1", [("ann\"", nil), ("bob", 4)]) == [0, 0])
    guard kind != .local else { return }  // has no other nodes
    try bench.register("i2", on: node)
    try bench.join("ann\"", nil, "i2", on: node)
    #expect(try elsewhere("i1", [("ann\"", 3)]) == [1])
    #expect(try elsewhere("i2", [("ann\"", nil), ("bob", nil)]) == [3, 0])
    #expect(try elsewhere("i2", [("ann\"", 5)]) == [3])
    #expect(try elsewhere("i1", [("ann\"", 3)]) == [5])
    #expect(try elsewhere("i2", [("ann\"", nil)]) == [3], "told twice")
    #expect(try elsewhere("i1", [("ann\"", 1)]) == [5])
    #expect(try elsewhere("i2", [("ann\"", nil)]) == [1])
    _ = try elsewhere("i1", [("ann\"", 7)])
    // Who is not known to be online, or has no lease, changes nothing.
    #expect(try elsewhere("ghost", [("ann\"", 9)]) == [12])
    #expect(try elsewhere("i2", [("bob", nil), ("ann\"", nil)]) == [0, 7])
    try bench.leave("ann\"", nil, "i1", on: node)
    #expect(try elsewhere("i2", [("ann\"", nil)]) == [0])
    _ = try bench.call(.depart(incarnation: "i2", graceMilliseconds: 0), on: node)
    #expect(try elsewhere("i1", [("ann\"", nil)]) == [5])
    _ = try bench.call(.reap(incarnation: "i2"), on: node)
    #expect(try elsewhere("i1", [("ann\"", nil)]) == [0])
  }

  @Test(arguments: RelayKind.allCases)
  func `Who is not registered is fenced`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    #expect(try bench.heartbeat("ghost", on: node).isFenced)
    let change = PresenceChange(room: RoomName("r"), user: "u", name: "u", isJoin: true)
    #expect(try bench.change("ghost", [change], on: node).isFenced)
    #expect(try bench.call(.countConnections(incarnation: "ghost", 1), on: node).isFenced)
    #expect(try bench.roster(on: node).count == 0)
  }

  @Test(arguments: RelayKind.allCases)
  func `Frames for all and frames for one node arrive`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    guard case .sent(1) = try bench.call(.broadcast(Array("all".utf8)), on: node),
      case .sent(1) = try bench.call(.send(node: "n1", Array("one".utf8)), on: node)
    else { throw RelayBench.TooLate(description: "not sent") }
    try bench.wait("both") { !node.frames.isEmpty && !node.directed.isEmpty }
    #expect(node.frames == ["all"] && node.directed == ["one"])
  }

  @Test(arguments: RelayKind.allCases)
  func `Replies come in the order of the requests`(_ kind: RelayKind) throws {
    let setup = try ContractSetup(kind)
    let (bench, node) = (setup.bench, setup.node)
    let tickets = (0..<300).map { index in
      let request: RelayRequest =
        switch index % 3 {
        case 0: .publish(RoomName("r\(index)")!, [RelayBench.publication("m")])
        case 1: .roster(RoomName("r")!)
        default: .online
        }
      return bench.submit(request, on: node)
    }
    try bench.wait("all replies") { node.answered.count == tickets.count }
    // About one room they do anyway; between servers nobody keeps an order.
    let isSpread = kind == .spread || kind == .spreadRooms
    #expect((isSpread ? node.answered.sorted() : node.answered) == tickets)
  }
}
