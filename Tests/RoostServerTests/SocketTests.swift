import RoostServer
import RoostTesting
import Testing

/// What sockets do that protocols do not speak of: halves, pieces, floods, silence.
@Suite("Sockets", .timeLimit(.minutes(20)))
struct SocketTests {
  @Test func `an echo echoes text and binary`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo")
      try client.sendFrame("Hello, Server!")
      #expect(try client.frame() == .init(opcode: 1, payload: Array("Hello, Server!".utf8)))
      try client.send(TestClient.frame([0, 255], opcode: 2))
      #expect(try client.frame() == .init(opcode: 2, payload: [0, 255]))
    }
  }

  @Test func `the echo may stand in for the chat`() async throws {
    try await withNode(configured { $0.echo.path = "/ws" }) { node in
      var client = try TestClient(port: node.port)
      try client.upgrade("/ws")
      try client.sendFrame("Hello, Server!")
      #expect(try client.text() == "Hello, Server!")
    }
  }

  @Test func `many frames in one piece are answered in order`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo")
      let texts = (0..<200).map { "message \($0)" }
      try client.send(texts.flatMap { TestClient.frame(Array($0.utf8)) })
      for text in texts { #expect(try client.text() == text) }
    }
  }

  @Test func `frames may come in any pieces`() async throws {
    try await withNode { node in
      var random = SeededGenerator(seed: 7)
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo")
      let payload = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }
      var frames = TestClient.frame(payload, opcode: 2)[...]
      while !frames.isEmpty {
        let piece = frames.prefix(Int.random(in: 1...9_000, using: &random))
        try client.send(Array(piece))
        frames = frames.dropFirst(piece.count)
      }
      #expect(try client.frame()?.payload == payload)
    }
  }

  @Test func `a big echo waits for its reader`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port, receiveBuffer: 4_096)
      try client.upgrade("/echo")
      let payload = [UInt8](repeating: 0x41, count: 8 << 20)
      try client.send(TestClient.frame(payload, opcode: 2))
      #expect(try client.frame()?.payload.count == payload.count)
    }
  }

  @Test func `a client that ends its half still gets its echo`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo")
      try client.sendFrame("last words")
      client.shutdownSending()
      #expect(try client.text() == "last words")
      #expect(try client.isAtEnd())
    }
  }

  @Test func `a request whose sender ends its half is answered`() async throws {
    try await withNode { node in
      for path in ["/healthz", "/ws/online"] {
        var client = try TestClient(port: node.port)
        try client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
        client.shutdownSending()
        #expect(try client.answer()?.status == 200)
        #expect(try client.isAtEnd())
      }
    }
  }

  @Test func `pings are answered, also between fragments`() async throws {
    try await withNode { node in
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo")
      try client.send(TestClient.frame(Array("Hel".utf8), isFinal: false))
      try client.sendFrame("p", opcode: 9)
      try client.send(TestClient.frame(Array("lo".utf8), opcode: 0))
      #expect(try client.frame() == .init(opcode: 10, payload: Array("p".utf8)))
      #expect(try client.text() == "Hello")
    }
  }

  @Test func `the silent are pinged and then dropped`() async throws {
    try await withNode(
      configured {
        $0.times.ping = 1
        $0.times.pong = 2
      }
    ) { node in
      var client = try TestClient.chat(node, "anna")
      #expect(try client.frame()?.opcode == 9)
      #expect(try client.isAtEnd())
    }
  }

  @Test(arguments: [1, 3])
  func `who does not read is closed as too slow and nobody else notices`(shards: Int) async throws {
    try await withNode(
      configured {
        $0.shards = shards
        $0.limits.queueMessages = 8
        $0.limits.messageBytes = 65_536
      }
    ) { node in
      var slow = try TestClient.chat(node, "slow", rooms: ["lobby"], receiveBuffer: 4_096)
      var quick = try TestClient.chat(node, "quick", rooms: ["lobby"])
      var talker = try TestClient.chat(node, "talker", rooms: ["lobby"])
      _ = try quick.skip { $0.text.contains("user_joined") }
      let words = String(repeating: "x", count: 60_000)
      let message = TestClient.frame(Array(#"{"type":"send_message","room":"lobby","payload":"\#(words)"}"#.utf8))
      // The kernel takes some megabytes for the slow one before its queue begins.
      for _ in 0..<100 {
        try talker.send(message)
        #expect(try talker.talk().hasPrefix(#"{"type":"ack""#))
        // On a busy machine the slow one's leaving comes between.
        _ = try #require(try quick.skip { $0.payload.count > words.utf8.count })
      }
      let end = try slow.skip { $0.opcode == 8 }
      #expect(end?.closeCode == 4008)
    }
  }

  @Test func `who reads nothing at all is dropped after the write wait`() async throws {
    let configuration = configured {
      $0.limits.messageBytes = 65_536
      ($0.limits.queueMessages, $0.limits.queueBytes) = (100_000, 1 << 28)
      $0.times.write = 1
    }
    try await withNode(configuration) { node in
      let deaf = try TestClient.chat(node, "deaf", rooms: ["lobby"], receiveBuffer: 4_096)
      var talker = try TestClient.chat(node, "talker", rooms: ["lobby"])
      let words = String(repeating: "x", count: 60_000)
      let message = TestClient.frame(Array(#"{"type":"send_message","room":"lobby","payload":"\#(words)"}"#.utf8))
      var stalled: Int?
      try eventually("it is dropped") {
        try talker.send(message)
        #expect(try talker.talk().hasPrefix(#"{"type":"ack""#))
        stalled = try metric("roost_closes_total{code=\"1006\",reason=\"stalled\"}", of: node)
        return stalled ?? 0 > 0
      }
      #expect(stalled == 1)
      let wasHeld = deaf.isOpen
      #expect(wasHeld)
    }
  }

  @Test func `a reset leaves nothing behind`() async throws {
    try await withNode { node in
      for _ in 0..<20 {
        var client = try TestClient(port: node.port)
        try client.upgrade("/echo")
        try client.sendFrame("unread")
      }
      // The last to look sees that the others are gone.
      var watcher = try TestClient(port: node.port)
      try eventually("they are gone") {
        try watcher.page("/ws/stats")?.body.contains(#""active_connections":0"#) == true && node.connectionCount == 1
      }
    }
  }
}
