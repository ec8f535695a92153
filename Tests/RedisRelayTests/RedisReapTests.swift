import EventLoops
import RealtimeCore
import RedisRelay
import RoostTesting
import Testing

/// What becomes of those whose node is gone, or only seems so.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RedisReapTests {
  /// Longer than anything takes that must be done within it, on a busy machine too.
  private static let lease: Int64 = 2_000

  /// Nodes `n1`, `n2` … with incarnations `i1`, `i2` …, each with one connection.
  private func gather(_ count: Int, _ bench: RelayBench, _ server: RedisServer) throws -> [BenchNode] {
    let nodes = try (1...count).map {
      bench.add(try .test(server, node: "n\($0)", lease: Int(Self.lease), beat: 1_000))
    }
    try bench.waitConnected()
    for (index, node) in nodes.enumerated() { try bench.register("i\(index + 1)", connections: 1, on: node) }
    return nodes
  }

  /// Everybody but `i1` goes on; until they are told that its lease ended.
  private func outlive(_ bench: RelayBench, _ others: some Sequence<BenchNode>) throws {
    try bench.wait("the lease ends") {
      var expired: [String] = []
      for (index, node) in others.enumerated() {
        if case .alive(_, let ended)? = try? bench.heartbeat("i\(index + 2)", connections: 1, on: node) {
          expired = ended
        }
      }
      bench.run(milliseconds: 100)
      return expired == ["i1"]
    }
  }

  private func frames(_ node: BenchNode) throws -> [RelayFrame] {
    try node.frames.map { try unsafe RelayFrame.parse(Array($0.utf8).span.bytes) }
  }

  @Test func `Two reapers at once: slices of 200, right counts, each user leaves once`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let nodes = try gather(3, bench, server)
    for start in stride(from: 0, to: 1_100, by: 50) {
      let changes = (start..<(start + 50)).map {
        PresenceChange(room: RoomName("r\($0 % 11)"), user: "u\($0)", name: "u\($0)", isJoin: true)
      }
      #expect(try !bench.change("i1", changes, on: nodes[0]).isFenced)
      for (index, node) in nodes.enumerated() { _ = try bench.heartbeat("i\(index + 1)", connections: 1, on: node) }
    }
    try bench.join("u0", "r0", "i2", on: nodes[1])
    try outlive(bench, nodes[1...])
    try bench.wait("all have come") { nodes[2].frames.count == 1_100 }

    var slices = 0
    var isDone = false
    while !isDone {
      let tickets = nodes[1...].map { (bench.submit(.reap(incarnation: "i1"), on: $0), $0) }
      for (ticket, node) in tickets {
        guard case .reaped(let done) = try bench.reply(ticket, on: node) else {
          throw RelayBench.TooLate(description: "not reaped")
        }
        slices += isDone ? 0 : 1
        isDone = isDone || done
      }
      let left = try server.ask("SCARD", "ws:p:nr:i1").dropLast()
      #expect(Int(left) == max(0, 1_100 - 200 * slices) || isDone)
    }
    #expect(slices == 6)
    try bench.wait("all leave") { nodes[2].frames.count >= 1_100 + 1_099 }
    bench.run(milliseconds: 50)
    let left = try frames(nodes[2]).filter { $0.kind == .userLeft }
    #expect(left.count == 1_099 && Set(left.map(\.senderID)).count == 1_099)
    // The last frame of each room tells who is left there.
    for room in 0..<11 {
      let last = left.last { $0.room == RoomName("r\(room)") }
      #expect(last?.count == (room == 0 ? 1 : 0))
      #expect(try bench.roster("r\(room)", on: nodes[1]).count == (room == 0 ? 1 : 0))
    }
    #expect(try server.ask("EXISTS", "ws:p:nr:i1", "ws:p:dying") == "0\n")
  }

  /// A lease that ended is no licence to change anything, even before somebody has reaped it.
  @Test func `Who slept past his lease may neither join nor leave until he renewed it`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let nodes = try gather(2, bench, server)
    try bench.join("ann", "r", "i1", on: nodes[0])
    try outlive(bench, nodes[1...])
    for isJoin in [true, false] {
      let change = PresenceChange(room: RoomName("r"), user: isJoin ? "bob" : "ann", name: "", isJoin: isJoin)
      #expect(try bench.change("i1", [change], on: nodes[0]).isFenced)
    }
    #expect(try bench.roster(on: nodes[1]).members.map(\.user) == ["ann"])
    #expect(try !bench.heartbeat("i1", connections: 1, on: nodes[0]).isFenced, "still his own")
    try bench.leave("ann", "r", "i1", on: nodes[0])
    #expect(try bench.roster(on: nodes[1]).count == 0)
  }

  @Test func `A sleeper whose users are elsewhere, too, comes back to right counts`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let nodes = try gather(2, bench, server)
    for user in ["ann", "bob"] {
      try bench.join(user, nil, "i1", on: nodes[0])
      try bench.join(user, "r", "i1", on: nodes[0])
    }
    try bench.join("ann", nil, "i2", on: nodes[1])
    try bench.join("ann", "r", "i2", on: nodes[1])
    try outlive(bench, nodes[1...])
    _ = try bench.call(.reap(incarnation: "i1"), on: nodes[1])
    guard case .online(1, 1, 1) = try bench.call(.online, on: nodes[1]) else {
      throw RelayBench.TooLate(description: "counts")
    }
    // It wakes: what it still wanted to say changes nothing, then it makes its users known again.
    let late = PresenceChange(room: RoomName("r"), user: "ann", name: "", isJoin: false)
    #expect(try bench.change("i1", [late], on: nodes[0]).isFenced)
    #expect(try bench.heartbeat("i1", on: nodes[0]).isFenced)
    try bench.register("i1b", replaces: "i1", connections: 2, on: nodes[0])
    for user in ["ann", "bob"] {
      try bench.join(user, nil, "i1b", on: nodes[0])
      try bench.join(user, "r", "i1b", on: nodes[0])
    }
    guard case .online(3, 2, 2) = try bench.call(.online, on: nodes[1]) else {
      throw RelayBench.TooLate(description: "counts")
    }
    try bench.leave("ann", "r", "i2", on: nodes[1])
    #expect(Set(try bench.roster(on: nodes[1]).members.map(\.user)) == ["ann", "bob"])
    try bench.wait("the frames") { nodes[1].frames.count >= 4 }
    bench.run(milliseconds: 50)
    let told = try frames(nodes[1]).map { "\($0.kind) \($0.senderID ?? "") \($0.count ?? -1)" }
    #expect(told == ["userJoined ann 1", "userJoined bob 2", "userLeft bob 1", "userJoined bob 2"])
  }

  @Test func `A generation that begins with an earlier moment's data spares everybody for a lease`() throws {
    let server = try RedisServer()
    // As after a restart that lost the last commands: one incarnation whose undo list is due, because what its
    // successor had joined is lost, and one whose lease ended. Somebody beat just now, so no amnesty helps.
    for (incarnation, user) in [("old", "ann"), ("older", "bob")] {
      try server.ask("SADD", "ws:p:nr:\(incarnation)", "1:r\(user)")
      try server.ask("HSET", "ws:p:r:r", user, "1:")
    }
    try server.ask("ZADD", "ws:p:dying", "1", "old")
    try server.ask("ZADD", "ws:p:leases", "1", "older")
    try server.ask("SET", "ws:p:last", String(wallClockMilliseconds()))
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1", lease: Int(Self.lease), beat: 60_000))
    try bench.waitConnected()
    guard
      case .alive(_, let expired) = try bench.call(
        .register(incarnation: "i1", replaces: nil, connections: 1), on: node)
    else { throw RelayBench.TooLate(description: "not registered") }
    #expect(expired == [])
    for incarnation in ["old", "older"] { _ = try bench.call(.reap(incarnation: incarnation), on: node) }
    #expect(try bench.roster(on: node).count == 2)
    // Ann's node makes her known again; bob's is gone for good.
    try bench.join("ann", "r", "i1", on: node)
    try bench.wait("both are due") {
      guard case .alive(_, let due)? = try? bench.heartbeat("i1", on: node) else { return false }
      bench.run(milliseconds: 100)
      return Set(due) == ["old", "older"]
    }
    for incarnation in ["old", "older"] { _ = try bench.call(.reap(incarnation: incarnation), on: node) }
    #expect(try bench.roster(on: node).members.map(\.user) == ["ann"])
    try bench.wait("bob leaves") { !node.frames.isEmpty }
    bench.run(milliseconds: 50)
    #expect(try frames(node).map { "\($0.kind) \($0.senderID ?? "")" } == ["userLeft bob"])
  }
}
