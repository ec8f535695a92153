import EventLoops
import RealtimeCore
import RedisRelay
import RoostTesting
import Testing

/// What happens to a relay when Redis, its connections or its data go away.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct RedisFaultTests {
  @Test func `A node that starts without Redis is degraded, and connects when it comes`() throws {
    let server = try RedisServer()
    server.kill()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    #expect(bench.submit(.online, on: node) == 1)
    bench.turn()
    #expect(node.replies[1]?.failure == .unavailable)
    try bench.wait("degraded") { node.state == .degraded }
    try server.start()
    try bench.waitConnected()
    let states = node.events.compactMap { if case .state(let state) = $0 { state } else { nil } }
    #expect(states == [.degraded, .recovering, .connected] || states == [.degraded, .connected])
  }

  @Test(arguments: ["pubsub", "normal"])
  func `A killed connection comes back within the generation`(_ type: String) throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let place = try bench.publish(["a"], on: node)[0].position
    node.events = []
    let began = monotonicMilliseconds()
    try server.ask("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes")
    if type == "pubsub" {
      try bench.wait("resubscribed") { node.resubscriptions == 1 }
    } else {
      let ticket = bench.submit(.online, on: node)
      #expect(try bench.reply(ticket, on: node).failure == .outcomeUnknown)
    }
    try bench.wait("all is well") { node.troubles == [.unreachable, nil] }
    let took = monotonicMilliseconds() - began
    let again = try bench.publish(["a", "b"], on: node)
    #expect(again[0] == PublishOutcome(position: place, isDuplicate: true))
    #expect(again[1].position == Position(epoch: place.epoch, offset: 2))
    #expect(node.generations.isEmpty)
    // Nobody noticed. Trouble of more than a second is told, and on a busy machine it may last that long.
    #expect(took >= 1_000 || node.events.allSatisfy { if case .state = $0 { false } else { true } })
    #expect(node.troubles == [.unreachable, nil])
  }

  @Test func `A restarted Redis is a new generation, and old rooms are unknown in it`() throws {
    let server = try RedisServer(["--appendonly", "yes", "--appendfsync", "always"])
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let before = try bench.publish(["a", "b"], on: node)
    let ticket = bench.submit(.online, on: node)
    server.kill()
    #expect(try bench.reply(ticket, on: node).failure == .outcomeUnknown)
    try server.start()
    try bench.wait("a second generation") { node.generations.count == 2 && node.state == .connected }
    #expect(Set(node.generations).count == 2)
    #expect(try bench.read("r", before[1].position, on: node).top == nil)
    #expect(try bench.history(on: node).top == nil)
    let after = try bench.publish(["b"], on: node)[0]
    #expect(after.position.offset == 1 && after.position.epoch != before[0].position.epoch)
    #expect(!after.isDuplicate)
    #expect(try server.ask("TTL", "ws:o:r").contains("-") == false)
  }

  @Test func `Lost data is a stale generation`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    let other = bench.add(try .test(server, node: "n2"))
    try bench.waitConnected()
    #expect(node.generations == other.generations)
    try server.ask("FLUSHALL")
    let request = RelayRequest.publish(RoomName("r")!, [RelayBench.publication("a")])
    #expect(try bench.call(request, on: node).failure == .staleGeneration)
    #expect(try bench.call(request, on: other).failure == .staleGeneration)
    try bench.wait("both moved on") { node.generations.count == 2 && other.generations.count == 2 }
    #expect(node.generations == other.generations && node.token == other.token)
    #expect(try bench.publish(["a"], on: node)[0].position.offset == 1)
  }

  @Test func `Forgotten scripts are loaded again`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    _ = try bench.publish(["a"], on: node)
    try server.ask("SCRIPT", "FLUSH")
    let first = bench.submit(.publish(RoomName("r")!, [RelayBench.publication("b")]), on: node)
    let second = bench.submit(.online, on: node)
    #expect(try bench.reply(first, on: node).failure == .outcomeUnknown)
    #expect(try bench.reply(second, on: node).failure == .outcomeUnknown)
    try bench.wait("all is well") { node.troubles.last == .some(nil) }
    #expect(try bench.publish(["b"], on: node)[0].position.offset == 2)
  }

  @Test func `A hanging Redis costs a second, and what hung is stored once at most`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let epoch = try bench.publish(["a"], on: node)[0].position.epoch
    server.pause()
    let began = monotonicMilliseconds()
    let ticket = bench.submit(.publish(RoomName("r")!, [RelayBench.publication("b")]), on: node)
    #expect(try bench.reply(ticket, on: node).failure == .outcomeUnknown)
    #expect(monotonicMilliseconds() - began >= 900, "it is given the time")
    try bench.wait("degraded") { node.state == .degraded }
    bench.run(milliseconds: 1_500)
    server.resume()
    try bench.waitConnected()
    #expect(try bench.publish(["b"], on: node)[0].position == Position(epoch: epoch, offset: 2))
    #expect(try bench.publish(["c"], on: node)[0].position == Position(epoch: epoch, offset: 3))
    #expect(try server.ask("XLEN", "ws:h:r") == "3\n")
    #expect(node.generations.count == 1)
  }

  @Test func `An older session of a node is refused`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let old = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    _ = try bench.publish(["a"], on: old)
    let new = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let ticket = bench.submit(.publish(RoomName("r")!, [RelayBench.publication("late")]), on: old)
    #expect(try bench.reply(ticket, on: old).failure == .outcomeUnknown)
    #expect(try server.ask("XLEN", "ws:h:r") == "1\n")
    #expect(old.notices.contains { $0.contains("node id n1") })
    _ = new
  }

  @Test func `Without memory messages are refused, and the rest goes on`() throws {
    let server = try RedisServer(["--maxmemory-policy", "noeviction"])
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let place = try bench.publish(["a"], on: node)[0].position
    try bench.register("i1", on: node)
    try server.ask("CONFIG", "SET", "maxmemory", "1kb")
    let reply = try bench.call(.publish(RoomName("r")!, [RelayBench.publication("b")]), on: node)
    #expect(reply.failure == .refused(.outOfMemory))
    #expect(try bench.read("r", place, on: node).isComplete)
    #expect(try !bench.heartbeat("i1", on: node).isFenced)
    try bench.join("ann", "r", "i1", on: node)
    try server.ask("CONFIG", "SET", "maxmemory", "0")
    #expect(try bench.publish(["b"], on: node)[0].position.offset == 2)
    #expect(node.state == .connected)
  }

  @Test func `A key of somebody else is an error reply, not a crash`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    for room in ["r", "q"] { _ = try bench.publish(["a"], room: room, on: node) }
    try server.ask("DEL", "ws:h:r", "ws:m:q")
    try server.ask("SET", "ws:h:r", "not a stream")
    try server.ask("SET", "ws:m:q", "not a hash")
    for room in ["r", "q"] {
      let reply = try bench.call(.publish(RoomName(room)!, [RelayBench.publication("b")]), on: node)
      #expect(reply.failure == .refused(.wrongType))
    }
    #expect(try bench.publish(["a"], room: "fine", on: node)[0].position.offset == 1)
  }

  @Test func `A server that became a replica is left, and distrusted when it is master again`() throws {
    let server = try RedisServer()
    let master = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    try server.ask("REPLICAOF", "127.0.0.1", "\(master.port)")
    let reply = try bench.call(.publish(RoomName("r")!, [RelayBench.publication("a")]), on: node)
    #expect(reply.failure != nil)
    try bench.wait("a notice") { node.notices.contains { $0.contains("replica") } }
    try server.ask("REPLICAOF", "NO", "ONE")
    try bench.wait("another generation") { node.generations.count == 2 && node.state == .connected }
    #expect(try bench.publish(["a"], on: node)[0].position.offset == 1)
  }

  @Test func `Foreign publications arrive as they are`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    try server.ask("PUBLISH", "ws:broadcast", #"{"type":"new_message","room":"general","payload":1}"#)
    try server.ask("PUBLISH", "ws:node:n1", "probe of somebody else")
    try server.ask("PUBLISH", "ws:node:n1", "for n1")
    try bench.wait("both") { !node.frames.isEmpty && !node.directed.isEmpty }
    #expect(node.frames == [#"{"type":"new_message","room":"general","payload":1}"#])
    #expect(node.directed == ["for n1"])
  }

  @Test func `A stored message is published with place and token, and stored without token`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let place = try bench.publish(["a"], on: node)[0].position
    try bench.wait("the frame") { !node.frames.isEmpty }
    let text = String(decoding: RelayBench.publication("a").text, as: UTF8.self)
    #expect(node.frames == [#"\#(text),"epoch":"\#(place.epoch)","offset":1,"token":"\#(node.token)"}"#])
    #expect(node.token.count == 32 && !place.epoch.contains(node.token))
    let stored = try server.ask("XRANGE", "ws:h:r", "-", "+")
    #expect(stored.contains(text + "}") && !stored.contains(node.token))
  }

  @Test func `A read too big for one answer begins at the known place and admits its end`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let filler = String(repeating: "x", count: 60_000)
    for number in 0..<160 { _ = try bench.publish(["\(number)" + filler], on: node) }
    let epoch = try bench.roster(on: node).top.epoch
    var known = Position(epoch: epoch, offset: 0)
    var answers = 0
    while true {
      let read = try bench.read("r", known, on: node)
      answers += 1
      #expect(read.messages.first?.offset == known.offset + 1)
      known.offset = try #require(read.messages.last?.offset)
      if read.isComplete { break }
    }
    #expect(known.offset == 160 && answers == 2)
    // The second room of a question gets its first message, however much the first one took.
    _ = try bench.publish(["a", "b"], room: "s", on: node)
    let other = try #require(try bench.read("s", nil, on: node).top)
    let questions = [("r", epoch), ("s", other.epoch)].map {
      (room: RoomName($0.0)!, known: Optional(Position(epoch: $0.1, offset: 0)))
    }
    guard case .read(let reads) = try bench.call(.read(questions), on: node) else {
      throw RelayBench.TooLate(description: "no read")
    }
    #expect(reads.map(\.isComplete) == [false, true] || reads[1].messages.map(\.offset) == [1])
  }

  @Test func `A room whose meta was evicted begins a new epoch`() throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    let before = try bench.publish(["a", "b"], on: node)[1].position
    try server.ask("DEL", "ws:m:r")
    #expect(try bench.read("r", before, on: node).top == nil)
    bench.run(milliseconds: 5)
    let after = try bench.publish(["c"], on: node)[0].position
    #expect(after.offset == 1 && after.epoch != before.epoch)
    #expect(try !bench.read("r", before, on: node).isComplete)
    try server.ask("DEL", "ws:h:r")  // the stream is gone, its meta lives
    let read = try bench.read("r", Position(epoch: after.epoch, offset: 0), on: node)
    #expect(read.top == after && !read.isComplete)
  }
}
