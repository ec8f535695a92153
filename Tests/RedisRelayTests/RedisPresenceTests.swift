import RealtimeCore
import RedisRelay
import RoostTesting
import Testing

/// Presence over several nodes of one Redis.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RedisPresenceTests {
  @Test func `Two nodes with one user: one join, one leave`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let one = bench.add(try .test(server, node: "n1"))
    let two = bench.add(try .test(server, node: "n2"))
    try bench.waitConnected()
    try bench.register("i1", connections: 1, on: one)
    try bench.register("i2", connections: 2, on: two)
    for (incarnation, node) in [("i1", one), ("i2", two)] {
      try bench.join("ann", nil, incarnation, on: node)
      try bench.join("ann", "r", incarnation, on: node)
    }
    #expect(try bench.roster(on: two).count == 1)
    guard case .online(3, 1, 2) = try bench.call(.online, on: one) else { throw RelayBench.TooLate(description: "") }
    try bench.leave("ann", "r", "i1", on: one)
    #expect(try bench.roster(on: one).count == 1)
    try bench.leave("ann", "r", "i2", on: two)
    try bench.wait("frames on both") { one.frames.count >= 2 && two.frames.count >= 2 }
    bench.run(milliseconds: 50)
    for node in [one, two] {
      #expect(node.frames.map { $0.contains("user_joined") } == [true, false])
      #expect(node.frames.allSatisfy { $0.contains(node.token) })
    }
    _ = try bench.call(.heartbeat(incarnation: "i2", connections: 7, isDraining: true), on: two)
    guard case .alive(let nodes, let expired) = try bench.heartbeat("i1", connections: 3, on: one) else {
      throw RelayBench.TooLate(description: "fenced")
    }
    let known = nodes.sorted { $0.name < $1.name }
    #expect(known == [.init("n1", connections: 3), .init("n2", connections: 7, isDraining: true)] && expired.isEmpty)
  }

  @Test func `Any text may be a user, and comes back as it was`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    try bench.register("i1", on: node)
    let users = ["a:b", "\"quoted\\\"", "line\nbreak\u{1}", "7:general", "ünï 😀", "\\u0001", "}{", "-"]
    for user in users { try bench.join(user, "r", "i1", on: node) }
    #expect(Set(try bench.roster(on: node).members.map(\.user)) == Set(users))
    #expect(Set(try bench.roster(on: node).members.map(\.name)) == Set(users.map { $0 + "!" }))
    try bench.wait("all frames") { node.frames.count == users.count }
    for (frame, user) in zip(node.frames, users) {
      #expect(try unsafe RelayFrame.parse(Array(frame.utf8).span.bytes).senderID == user)
    }
    for user in users { try bench.leave(user, "r", "i1", on: node) }
    #expect(try server.ask("EXISTS", "ws:p:r:r", "ws:p:nr:i1") == "0\n")
  }

  @Test func `A dead node is reaped in slices by all that live, each user leaves once`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let nodes = try (1...3).map { bench.add(try .test(server, node: "n\($0)", lease: 2_000, beat: 1_000)) }
    try bench.waitConnected()
    for (index, node) in nodes.enumerated() { try bench.register("i\(index + 1)", connections: 1, on: node) }
    for start in stride(from: 0, to: 450, by: 50) {
      let changes = (start..<(start + 50)).map {
        PresenceChange(room: RoomName("r\($0 % 7)"), user: "u\($0)", name: "u\($0)", isJoin: true)
      }
      #expect(try !bench.change("i1", changes, on: nodes[0]).isFenced)
      // However slowly this goes, nobody's lease ends meanwhile.
      for (index, node) in nodes.enumerated() { _ = try bench.heartbeat("i\(index + 1)", connections: 1, on: node) }
    }
    try bench.join("u0", "r0", "i2", on: nodes[1])  // lives on another node too
    var expired: [String] = []
    try bench.wait("the lease ends") {
      for (incarnation, node) in [("i2", nodes[1]), ("i3", nodes[2])] {
        if case .alive(_, let ended)? = try? bench.heartbeat(incarnation, connections: 1, on: node) {
          expired = ended
        }
      }
      bench.run(milliseconds: 100)
      return expired == ["i1"]
    }
    var slices = 0
    var isDone = false
    while !isDone {
      guard case .reaped(let done) = try bench.call(.reap(incarnation: "i1"), on: nodes[1 + slices % 2]) else {
        throw RelayBench.TooLate(description: "not reaped")
      }
      (isDone, slices) = (done, slices + 1)
    }
    #expect(slices == 3)
    try bench.wait("all leave frames") { nodes[2].frames.count == 450 + 449 }
    let left = nodes[2].frames.filter { $0.contains("user_left") }
    #expect(Set(try left.map { try unsafe RelayFrame.parse(Array($0.utf8).span.bytes).senderID }).count == 449)
    #expect(try bench.roster("r0", on: nodes[1]).members.map(\.user) == ["u0"])
    #expect(try bench.heartbeat("i1", on: nodes[0]).isFenced)
    let change = PresenceChange(room: RoomName("r1"), user: "zombie", name: "zombie", isJoin: true)
    #expect(try bench.change("i1", [change], on: nodes[0]).isFenced)
    #expect(try server.ask("EXISTS", "ws:p:nr:i1", "ws:p:dying") == "0\n")
    for index in 1...2 { _ = try bench.heartbeat("i\(index + 1)", connections: 1, on: nodes[index]) }
    guard case .online(2, _, 2) = try bench.call(.online, on: nodes[1]) else {
      throw RelayBench.TooLate(description: "wrong count")
    }
  }

  @Test(arguments: [true, false])
  func `An absence of Redis longer than a lease reaps nobody`(_ isRestart: Bool) throws {
    let server = try RedisServer(["--appendonly", "yes", "--appendfsync", "always"])
    let bench = try RelayBench()
    let nodes = try (1...3).map { bench.add(try .test(server, node: "n\($0)", lease: 2_000, beat: 750)) }
    try bench.waitConnected()
    for (index, node) in nodes.enumerated() {
      try bench.register("i\(index)", connections: 1, on: node)
      try bench.join("u\(index)", "r", "i\(index)", on: node)
    }
    if isRestart { server.kill() } else { server.pause() }
    bench.run(milliseconds: 2_500)
    if isRestart { try server.start() } else { server.resume() }
    try bench.waitConnected()
    // Reaping, counting and joining come before anybody's heartbeat, and each looks at the amnesty.
    guard case .reaped(true) = try bench.call(.reap(incarnation: "i1"), on: nodes[0]) else {
      throw RelayBench.TooLate(description: "reap")
    }
    guard case .online(3, _, 3) = try bench.call(.online, on: nodes[0]) else {
      throw RelayBench.TooLate(description: "online")
    }
    for (index, node) in nodes.enumerated() {
      guard case .alive(let living, let expired) = try bench.heartbeat("i\(index)", connections: 1, on: node) else {
        throw RelayBench.TooLate(description: "fenced")
      }
      #expect(living.count == 3 && expired.isEmpty)
    }
    #expect(try bench.roster(on: nodes[0]).count == 3)
    #expect(!nodes[2].frames.contains { $0.contains("user_left") })
  }

  @Test func `Taking over a new incarnation shows nobody leaving`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1", lease: 2_000, beat: 1_000))
    try bench.waitConnected()
    try bench.register("old", connections: 4, on: node)
    try bench.join("ann", "r", "old", on: node)
    try bench.register("new", replaces: "old", connections: 4, on: node)
    guard case .online(4, _, 1) = try bench.call(.online, on: node) else { throw RelayBench.TooLate(description: "") }
    #expect(try bench.heartbeat("old", on: node).isFenced)
    guard case .reaped(true) = try bench.call(.reap(incarnation: "old"), on: node) else {
      throw RelayBench.TooLate(description: "")
    }
    #expect(try bench.roster(on: node).count == 1)  // not yet
    let again = PresenceChange(room: RoomName("r"), user: "ann", name: "Ann", isJoin: true, isAnnounced: false)
    #expect(try !bench.change("new", [again], on: node).isFenced)
    try bench.wait("the old one is to be reaped") {
      guard case .alive(_, let expired)? = try? bench.heartbeat("new", on: node) else { return false }
      return expired == ["old"]
    }
    _ = try bench.call(.reap(incarnation: "old"), on: node)
    bench.run(milliseconds: 50)
    #expect(try bench.roster(on: node).count == 1)
    #expect(node.frames.count == 1)
  }

  @Test func `Departing takes the connections at once and the members after the grace`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let one = bench.add(try .test(server, node: "n1"))
    let two = bench.add(try .test(server, node: "n2"))
    try bench.waitConnected()
    try bench.register("i1", connections: 5, on: one)
    try bench.register("i2", connections: 1, on: two)
    try bench.join("ann", "r", "i1", on: one)
    _ = try bench.call(.depart(incarnation: "i1", graceMilliseconds: 2_000), on: one)
    _ = try bench.call(.depart(incarnation: "i1", graceMilliseconds: 0), on: one)  // repeated: nothing new
    guard case .online(1, _, 1) = try bench.call(.online, on: two) else { throw RelayBench.TooLate(description: "") }
    _ = try bench.call(.reap(incarnation: "i1"), on: two)
    #expect(try bench.roster(on: two).count == 1)
    try bench.wait("its grace is over") {
      guard case .alive(_, let due)? = try? bench.heartbeat("i2", on: two) else { return false }
      return due == ["i1"]
    }
    _ = try bench.call(.reap(incarnation: "i1"), on: two)
    #expect(try bench.roster(on: two).count == 0)
    try bench.wait("the frame") { two.frames.last?.contains("user_left") == true }
  }

  @Test func `After a clock was set back, no lease lies further ahead than a lease`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    try bench.register("i1", on: node)
    try server.ask("ZADD", "ws:p:leases", "9000000000000", "i1", "9000000000000", "dead")
    try server.ask("ZADD", "ws:p:dying", "9000000000000", "dying")
    _ = try bench.heartbeat("i1", on: node)
    #expect(try server.ask("ZCOUNT", "ws:p:leases", "8000000000000", "+inf") == "0\n")
    #expect(try server.ask("ZCOUNT", "ws:p:dying", "8000000000000", "+inf") == "0\n")
  }

  @Test func `Every key ends, or belongs to the living`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    try bench.register("i1", connections: 1, on: node)
    try bench.join("ann", nil, "i1", on: node)
    try bench.join("ann", "r", "i1", on: node)
    _ = try bench.call(.countUsers(incarnation: "i1", [UserCount(user: "ann", connections: 2)]), on: node)
    #expect(try server.ask("EXISTS", "ws:p:x", "ws:p:nx:i1") == "2\n")
    _ = try bench.publish(["a", "b"], on: node)
    _ = try bench.roster("empty", on: node)
    _ = try bench.heartbeat("i1", connections: 1, on: node)
    _ = try bench.call(.depart(incarnation: "i1", graceMilliseconds: 0), on: node)
    _ = try bench.call(.reap(incarnation: "i1"), on: node)
    let keys = try server.ask("KEYS", "*").split(separator: "\n").map(String.init)
    #expect(keys.allSatisfy { $0.hasPrefix("ws:") })
    #expect(try keys.filter { try server.ask("TTL", $0) == "-1\n" }.sorted() == ["ws:gen", "ws:topology"])
  }
}
