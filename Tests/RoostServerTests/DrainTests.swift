import EventLoops
import RealtimeCore
import RoostTesting
import Synchronization
import Telemetry
import Testing

@testable import RoostServer

/// How a node sends its clients elsewhere before it ends.
@Suite("drain", .timeLimit(.minutes(20)))
struct DrainTests {
  /// Runs `body` while the node drains, and returns when it has. ``Node/drain()`` blocks.
  static func draining(_ node: Node, _ body: () throws -> Void) throws {
    let isOver = StopFlag()
    onNewThread(name: "drain") {
      node.drain()
      isOver.set()
    }
    // The first thing it does.
    try eventually("it drains") { node.context.isDraining.load(ordering: .relaxed) }
    let result = Result { try body() }
    try eventually("it has drained") { isOver.isSet }
    try result.get()
  }

  static func quick(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> ServerConfiguration {
    configured {
      $0.drain.wait = 0
      $0.drain.reconnectSpread = 0.2
      change(&$0)
    }
  }

  @Test(arguments: [1, 3]) func `clients are told, closed with 1012, and the node is empty`(shards: Int) async throws {
    try await withNode(Self.quick { $0.shards = shards }) { node in
      var clients: [HeldClient] = []
      for number in 0..<12 { clients.append(HeldClient(try TestClient.chat(node, "u\(number)", rooms: ["lobby"]))) }
      try Self.draining(node) {
        var waits: Set<Int> = []
        for box in clients {
          let told = try #require(try box.client.skip { $0.text.contains("server_draining") })
          let wait = try #require(told.text.split(separator: ":").last.flatMap { Int($0.prefix { $0.isNumber }) })
          #expect((0...200).contains(wait))
          waits.insert(wait)
          #expect(try box.client.skip { $0.opcode == 8 }?.closeCode == 1012)
          try box.client.send(TestClient.frame([0x03, 0xF4], opcode: 8))
          #expect(try box.client.isAtEnd())
        }
        #expect(waits.count > 3, "each has a time of its own")
      }
      try eventually("it is empty") { node.connectionCount == 0 }
    }
  }

  /// It waits for longer than the test takes; its last client goes by himself.
  @Test func `while it waits for balancers it is not ready, healthy, serves who is there and takes nobody`()
    async throws
  {
    try await withNode(Self.quick { ($0.drain.wait, $0.drain.deadline) = (3_000, 6_000) }) { node in
      do {
        var ready = try TestClient(port: node.port)
        #expect(try ready.page("/readyz")?.status == 200)
      }
      var client = try TestClient.chat(node, "anna", rooms: ["lobby"])
      try Self.draining(node) {
        for (path, status) in [("/readyz", 503), ("/healthz", 200)] {
          var late = try TestClient(port: node.port)
          try late.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
          #expect(try late.answer()?.status == status)
          #expect(try late.isAtEnd(), "no connection is kept")
        }
        var late = try TestClient(port: node.port)
        try late.send(TestClient.upgradeRequest("/ws?token=\(token("ben"))"))
        let refusal = try #require(try late.answer())
        #expect(refusal.status == 503 && (1...5).contains(Int(refusal.header("retry-after") ?? "") ?? 0))
        try client.say("still here", in: "lobby", id: "m")
        #expect(try client.talk().contains(#""ack""#))
        try client.send(TestClient.frame([0x03, 0xE8], opcode: 8))
        #expect(try client.frame()?.closeCode == 1000, "and nobody was told to go")
        #expect(try client.isAtEnd())
      }
    }
  }

  @Test func `when the wait for balancers is over clients are told`() async throws {
    try await withNode(Self.quick { $0.drain.wait = 0.5 }) { node in
      var client = try TestClient.chat(node, "anna", rooms: ["lobby"])
      try Self.draining(node) {
        let (told, end) = (try client.text(), try client.skip { $0.opcode == 8 })
        #expect(told.contains("server_draining") && end?.closeCode == 1012)
      }
    }
  }

  @Test func `without anybody it waits for nobody`() async throws {
    try await withNode(configured { ($0.drain.wait, $0.drain.deadline) = (3_000, 6_000) }) { node in
      try Self.draining(node) {}
      try Self.draining(node) {}  // a second call has nothing to do
    }
  }

  /// What is said after the announcement, and even behind it, is answered before the connection ends. For that a client
  /// has half a second; what it says later is not read, so a test that was late is made again.
  @Test(arguments: [1, 2]) func `what is on its way is answered before the end`(shards: Int) async throws {
    for _ in 0..<20 {
      var wasInTime = false
      try await withNode(Self.quick { $0.shards = shards }) { node in
        wasInTime = try Self.isAnsweredWhileLeaving(node)
      }
      if wasInTime { return }
    }
    throw Late(what: "half a second after the announcement")
  }

  /// False when the node may not have read everything in time, and did not answer everything.
  private static func isAnsweredWhileLeaving(_ node: Node) throws -> Bool {
    var client = try TestClient.chat(node, "anna", rooms: ["lobby"])
    let ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
    // The client is told after this.
    let start = monotonicMilliseconds()
    var (acks, readAt): ([String], Int64?) = ([], nil)
    try draining(node) {
      _ = try client.skip { $0.text.contains("server_draining") }
      let words = (0..<50).map { #"{"type":"send_message","room":"lobby","id":"m\#($0)","payload":1}"# }
      try client.send((words + [#"{"type":"ping"}"#]).flatMap { TestClient.frame(Array($0.utf8)) })
      let end = try client.skip { frame in
        if frame.text.contains(#""pong""#) { readAt = monotonicMilliseconds() }
        if frame.text.contains(#""ack""#), let id = frame.text.firstMatch(of: /"id":"(m\d+)"/) {
          acks.append(String(id.1))
        }
        return frame.opcode == 8
      }
      #expect(end?.closeCode == 1012)
      let isBenThere = ben.isOpen
      #expect(isBenThere)
    }
    #expect(acks == (0..<acks.count).map { "m\($0)" })
    if let readAt, readAt < start + 500 { #expect(acks.count == 50) }
    return acks.count == 50
  }

  @Test func `a client that reads nothing stops no other, and no node`() async throws {
    try await withNode(
      Self.quick {
        $0.times.close = 1
        ($0.limits.messageBytes, $0.limits.queueBytes) = (64 << 10, 64 << 20)
      }
    ) { node in
      let deaf = try TestClient.chat(node, "deaf", rooms: ["lobby"], receiveBuffer: 4_096)
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      let filler = String(repeating: "x", count: 60_000)
      for number in 0..<60 {
        try anna.say(filler, in: "lobby", id: "m\(number)")
        _ = try anna.skip { $0.text.contains(#""ack""#) }
      }
      try Self.draining(node) {
        #expect(try anna.skip { $0.opcode == 8 }?.closeCode == 1012)
        try anna.send(TestClient.frame([0x03, 0xF4], opcode: 8))
      }
      try eventually("it is empty") { node.connectionCount == 0 }
      let isDeafThere = deaf.isOpen
      #expect(isDeafThere)
    }
  }

  /// One is told half a second before it is closed; here the deadline's last words are due when it is told.
  @Test func `at the deadline the rest is closed with 1001`() async throws {
    try await withNode(Self.quick { ($0.drain.wait, $0.drain.deadline) = (0.75, 1) }) { node in
      var client = try TestClient.chat(node, "anna")
      try Self.draining(node) {
        let (told, end) = (try client.text(), try client.frame())
        #expect(told.contains("server_draining") && end?.closeCode == 1001)
      }
    }
  }

  @Test func `a client that never answers is not waited for beyond the deadline`() async throws {
    try await withNode(
      Self.quick {
        ($0.drain.wait, $0.drain.deadline) = (0.4, 1)
        $0.times.close = 60
      }
    ) { node in
      let client = try TestClient.chat(node, "anna")
      try Self.draining(node) {}
      #expect(node.connectionCount == 1 && client.isOpen)
    }
  }

  @Test func `a connection that is only kept open for requests does not keep the node`() async throws {
    try await withNode(Self.quick()) { node in
      var kept = try TestClient(port: node.port)
      try kept.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try kept.answer()?.status == 200)
      try Self.draining(node) {
        let isAtEnd = try kept.isAtEnd()
        #expect(isAtEnd)
      }
      try eventually("it is empty") { node.connectionCount == 0 }
    }
  }

  @Test func `an echo speaks no JSON and is closed without a word`() async throws {
    try await withNode(Self.quick()) { node in
      var echo = try TestClient(port: node.port)
      try echo.upgrade("/echo")
      try Self.draining(node) {
        let end = try echo.frame()
        #expect(end?.closeCode == 1012)
      }
    }
  }

  @Test func `a departed node tells its hub's relay so`() async throws {
    try await withNode(Self.quick()) { node in
      let client = try TestClient.chat(node, "anna")
      try Self.draining(node) {}
      try eventually("it has departed") { node.context.hubReport.latest.hasDeparted }
      let isThere = client.isOpen
      #expect(isThere)
    }
  }
}

/// One shard and the order of what it does, without waiting for time to pass.
@Suite("sending away", .timeLimit(.minutes(20)))
struct PartingTests {
  @Test func `one goes after the other, never all at once`() async throws {
    try await withShard(configured { $0.drain.reconnectSpread = 0 }) { shard in
      var clients: [HeldClient] = []
      for _ in 0..<5 { clients.append(HeldClient(try shard.client())) }
      // An hour for five: only the first is due before this test is over.
      shard.order(.drain(overMilliseconds: 3_600_000))
      guard case .sendAway(let id) = try shard.next() else { throw ShardUnderTest.Silence() }
      #expect(try clients[0].client.text().contains(#""reconnect_after_ms":0"#))
      for box in clients.dropFirst() { #expect(try shard.rest(behind: box.client) == []) }
      shard.order(.close(id, .sentAway))
      #expect(try clients[0].client.frame()?.closeCode == 1012)
      guard case .disconnect(id, .sentAway) = try shard.next() else { throw ShardUnderTest.Silence() }
    }
  }

  /// What is read before is before it in the hub's order; what comes after is not read at all.
  @Test func `nothing is read once the hub was asked`() async throws {
    try await withShard(configured { $0.drain.reconnectSpread = 0 }) { shard in
      var client = try shard.client()
      shard.order(.shed(1, overMilliseconds: 0))
      guard case .sendAway(let id) = try shard.next() else { throw ShardUnderTest.Silence() }
      try client.say("too late", in: "r1", id: "m")
      // Another client's words prove that the shard has turned since.
      let other = try shard.client()
      #expect(try shard.rest(behind: other) == [])
      shard.order(.close(id, .sentAway))
      #expect(try client.skip { $0.opcode == 8 }?.payload == [0x03, 0xF4] + Array("rebalancing".utf8))
      try client.send(TestClient.frame([0x03, 0xF4], opcode: 8))
      #expect(try client.isAtEnd())
    }
  }

  @Test func `who goes by himself when he is told has the same time to come back`() async throws {
    try await withShard(configured()) { shard in
      var client = try shard.client()
      shard.order(.shed(1, overMilliseconds: 0))
      #expect(try client.text().contains("server_draining"))
      try client.send(TestClient.frame([0x03, 0xE8], opcode: 8))
      var command = try shard.next()
      // On a slow machine its time may have come before it went.
      if case .sendAway = command { command = try shard.next() }
      guard case .disconnect(_, .sentAway) = command else { throw ShardUnderTest.Silence() }
    }
  }

  @Test func `shedding goes round, and a full round is the end of it`() async throws {
    try await withShard(configured { $0.drain.reconnectSpread = 0 }) { shard in
      var clients: [HeldClient] = []
      for _ in 0..<3 { clients.append(HeldClient(try shard.client())) }
      var gone: Set<ConnectionID> = []
      for count in [1, 1, 5] {
        shard.order(.shed(count, overMilliseconds: 0))
        for _ in 0..<min(count, 3 - gone.count) {
          guard case .sendAway(let id) = try shard.next() else { throw ShardUnderTest.Silence() }
          gone.insert(id)
        }
      }
      #expect(gone.count == 3)
      for box in clients { #expect(try box.client.text().contains("server_draining")) }
    }
  }

  @Test func `a handshake that the hub lets in too late is refused`() async throws {
    try await withShard(configured()) { shard in
      var client = try TestClient(port: shard.port)
      try client.send(TestClient.upgradeRequest("/ws?token=\(token("anna"))"))
      guard case .connect(let id, _, _) = try shard.next() else { throw ShardUnderTest.Silence() }
      shard.context.isDraining.store(true, ordering: .relaxed)
      shard.say { $0.admit(id) }
      #expect(try client.answer()?.status == 503)
      guard case .disconnect(id, .left) = try shard.next() else { throw ShardUnderTest.Silence() }
    }
  }
}

@Suite("API: drain", .timeLimit(.minutes(20)))
struct DrainCallTests {
  @Test(arguments: [1, 3]) func `a node is asked to drain by its id, and hears of it once`(shards: Int) async throws {
    let wishes = Counter()
    let configuration = configured {
      ($0.shards, $0.nodeID, $0.apiKeys) = (shards, "web-1", [Array(testKey.utf8)])
    }
    let node = try Node(configuration, log: Log(level: .error), whenDrainWanted: { wishes.add() })
    node.start()
    do {
      var backend = try TestClient(port: node.port)
      for _ in 0..<2 {
        try backend.call("/api/nodes/web-1/drain")
        let answer = try #require(try backend.answer())
        #expect(answer.status == 202)
        #expect(answer.body.hasPrefix(#"{"node":"web-1-"#) && answer.body.hasSuffix(#","draining":true}"#))
      }
      // Done by another thread than the one that answers.
      try eventually("it is wished") { wishes.count > 0 }
      let others: [(path: String, body: String?, status: Int)] = [
        ("/api/nodes/web-2/drain", nil, 404), ("/api/nodes/%20/drain", nil, 404),
        ("/api/nodes/web-1/drain", #"{"when":"now"}"#, 400), ("/api/nodes/web-1/drain", "{}", 202),
      ]
      for (path, body, status) in others {
        try backend.call(path, body)
        #expect(try backend.answer()?.status == status, "\(path) \(body ?? "")")
      }
      var stranger = try TestClient(port: node.port)
      try stranger.call("/api/nodes/web-1/drain", authorization: nil)
      #expect(try stranger.answer()?.status == 401)
      #expect(wishes.count == 1)
      let isDraining = node.context.isDraining.load(ordering: .relaxed)
      #expect(!isDraining, "whoever started it decides")
    } catch {
      await node.stop()
      throw error
    }
    await node.stop()
  }
}

private final class Counter: Sendable {
  private let number = Mutex(0)
  func add() { number.withLock { $0 += 1 } }
  var count: Int { number.withLock { $0 } }
}
