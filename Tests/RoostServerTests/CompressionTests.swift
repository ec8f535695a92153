import RoostServer
import RoostTesting
import Testing

@testable import RealtimeCore

/// Compressed messages from and to clients of real nodes.
@Suite("Compression", .timeLimit(.minutes(20)))
struct CompressionTests {
  // MARK: Echo

  @Test func `an echo answers compressed what came compressed, and what is long`() async throws {
    try await withNode(compressing()) { node in
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo", offering("; server_max_window_bits=9"))
      for text in ["", "Hello", "Hello Hello Hello Hello", words(2_000, seed: 1), noise(300, seed: 2)] {
        try client.send(TestClient.compressedFrame(text))
        let echo = try #require(try client.frame())
        #expect(echo.isCompressed && echo.text(windowBits: 9) == text)
      }
      try client.sendFrame("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
      #expect(try client.frame()?.isCompressed == false)
      try client.sendFrame(words(100, seed: 3))
      let long = try #require(try client.frame())
      #expect(long.isCompressed && long.text(windowBits: 9) == words(100, seed: 3))
    }
  }

  @Test func `fragments, pings between them and any pieces make one message`() async throws {
    try await withNode(compressing()) { node in
      var random = SeededGenerator(seed: 5)
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo", offering())
      for turn in 0..<20 {
        let text = words(.random(in: 1...3_000, using: &random), seed: UInt64(turn))
        var payload = RawDeflate.compress(Array(text.utf8))[...]
        var bytes: [UInt8] = []
        var opcode: UInt8 = 1
        while opcode == 1 || !payload.isEmpty {
          let piece = payload.prefix(.random(in: 1...2_000, using: &random))
          payload = payload.dropFirst(piece.count)
          bytes += TestClient.frame(Array(piece), opcode: opcode, isFinal: payload.isEmpty, isCompressed: opcode == 1)
          bytes += TestClient.frame([], opcode: 9)
          opcode = 0
        }
        while !bytes.isEmpty {
          let count = min(bytes.count, .random(in: 1...3_000, using: &random))
          try client.send(Array(bytes.prefix(count)))
          bytes.removeFirst(count)
        }
        let echo = try client.skip { $0.opcode != 10 }
        #expect(echo?.text(windowBits: 15) == text)
      }
    }
  }

  /// A gibibyte of zeros is a megabyte on the wire. What a node keeps while it refuses one is bounded by the limit:
  /// `Inflater` stops there (see its tests), and so the next message is served as if nothing had been.
  @Test func `bombs are refused at the limit, one after the other`() async throws {
    let bomb = TestClient.frame(RawDeflate.bomb(mebibytes: 1_024), opcode: 2, isCompressed: true)
    try await withNode(compressing { $0.echo.messageBytes = 2 << 20 }) { node in
      for _ in 0..<20 {
        var client = try TestClient(port: node.port)
        try client.upgrade("/echo", offering())
        // It may be closed before all of it has left.
        try? client.send(bomb)
        #expect(try client.frame()?.closeCode == 1009)
      }
      var client = try TestClient(port: node.port)
      try client.upgrade("/echo", offering())
      try client.send(TestClient.compressedFrame("still here"))
      #expect(try client.frame()?.text(windowBits: 15) == "still here")
    }
  }

  // MARK: Rooms

  /// What a client of a room sees of `count` messages, as it reads with its window.
  private func heard(_ client: inout TestClient, _ count: Int, windowBits: Int) throws -> [String] {
    var texts: [String] = []
    while texts.count < count, let frame = try client.frame() {
      let text = try #require(frame.text(windowBits: windowBits))
      if text.contains(#""new_message""#) || text.contains(#""ack""#) { texts.append(text) }
    }
    return texts
  }

  @Test(arguments: [1, 3], [UInt64](1...4))
  func `members with and without compression see the same, in one order`(shards: Int, seed: UInt64) async throws {
    try await withNode(compressing { $0.shards = shards }) { node in
      var random = SeededGenerator(seed: seed)
      var plain = try TestClient.chat(node, "plain", rooms: ["lobby"])
      var wide = try TestClient.chat(node, "wide", rooms: ["lobby"], offering())
      var narrow = try TestClient.chat(node, "narrow", rooms: ["lobby"], offering("; server_max_window_bits=9"))
      var talker = try TestClient.chat(node, "talker", rooms: ["lobby"], offering("; server_max_window_bits=12"))
      var device = try TestClient.chat(node, "talker", rooms: ["lobby"], offering())
      var said: [String] = []
      for number in 0..<30 {
        let text = words(.random(in: 0...500, using: &random), seed: seed + UInt64(number))
        said.append("\(number): \(text)")
        let message =
          #"{"type":"send_message","room":"lobby","id":"\#(number)","payload":{"content":"\#(said[number])"}}"#
        try talker.send(
          Bool.random(using: &random) ? TestClient.compressedFrame(message) : TestClient.frame(Array(message.utf8)))
      }
      let expected = try heard(&plain, 30, windowBits: 15)
      for (text, words) in zip(expected, said) { #expect(text.contains(#""content":"\#(words)""#)) }
      #expect(try heard(&wide, 30, windowBits: 15) == expected)
      #expect(try heard(&narrow, 30, windowBits: 9) == expected)
      let acks = try heard(&talker, 30, windowBits: 12)
      let copies = try heard(&device, 30, windowBits: 15)
      for number in 0..<30 {
        #expect(acks[number].contains(#""type":"ack""#) && acks[number].contains(#""id":"\#(number)""#))
        #expect(copies[number].contains(#""content":"\#(said[number])""#))
      }
    }
  }

  @Test func `messages below the threshold and answers to one client stay plain`() async throws {
    let configuration = compressing { $0.compression.thresholdBytes = 1_000 }
    try await withNode(configuration) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"], offering())
      let ben = try TestClient.chat(node, "ben", rooms: ["lobby"], offering())
      try ben.say(words(60, seed: 1), in: "lobby", id: "1")
      try ben.say(words(400, seed: 2), in: "lobby", id: "2")
      for isLong in [false, true] {
        let message = try #require(try anna.skip { $0.isCompressed || $0.text.contains("new_message") })
        #expect(message.isCompressed == isLong)
      }
      // The room's past is several people's words in one frame: never compressed together.
      try anna.sendFrame(#"{"type":"history","payload":{"room_id":"lobby","limit":10}}"#)
      let history = try #require(try anna.skip { !$0.isCompressed && $0.text.contains(#""type":"history""#) })
      #expect(history.payload.count > 2_000)
      var late = try TestClient.chat(node, "late", offering())
      try late.sendFrame(#"{"type":"join_room","payload":{"room_id":"lobby","history":10}}"#)
      let missed = try #require(try late.skip { $0.text.contains(#""id":"2""#) || $0.text.contains(#""offset":2"#) })
      #expect(!missed.isCompressed)
    }
  }

  @Test func `a message to everybody is compressed for those who agreed`() async throws {
    try await withNode(compressing()) { node in
      var admin = try TestClient.chat(node, "admin", role: "admin")
      var wide = try TestClient.chat(node, "wide", offering())
      var narrow = try TestClient.chat(node, "narrow", offering("; server_max_window_bits=9"))
      let text = words(300, seed: 1)
      try admin.sendFrame(#"{"type":"chat","payload":"\#(text)"}"#)
      let frames = [(try #require(try wide.frame()), 15), (try #require(try narrow.frame()), 9)]
      for (frame, windowBits) in frames {
        let read = try #require(frame.text(windowBits: windowBits))
        #expect(frame.isCompressed && read.contains(text))
      }
      let own = try #require(try admin.skip { $0.text.contains(#""type":"chat""#) })
      #expect(!own.isCompressed && own.text.contains(text))
    }
  }

  @Test func `a message is compressed once for all who have the same window, and counted`() async throws {
    try await withNode(compressing()) { node in
      let talker = try TestClient.chat(node, "talker", rooms: ["lobby"])
      var first = try TestClient.chat(node, "first", rooms: ["lobby"], offering())
      var second = try TestClient.chat(node, "second", rooms: ["lobby"], offering())
      var narrow = try TestClient.chat(node, "narrow", rooms: ["lobby"], offering("; server_max_window_bits=10"))
      for number in 1...3 { try talker.say(words(200, seed: 1), in: "lobby", id: "\(number)") }
      for _ in 1...3 {
        let frames = [try first.skip(to: \.isCompressed), try second.skip(to: \.isCompressed)]
        #expect(frames[0] != nil && frames[0] == frames[1])
        let narrowFrame = try narrow.skip(to: \.isCompressed)
        #expect(narrowFrame?.text(windowBits: 10) == frames[0]?.text(windowBits: 15))
      }
      var watcher = try TestClient(port: node.port)
      try watcher.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
      let metrics = try #require(try watcher.answer()?.body)
      #expect(metrics.contains("roost_messages_compressed_total 6\n"))
      #expect(metrics.contains(#"roost_compression_bytes_total{side="after"} "#))
    }
  }

  // MARK: Slow clients

  private static func limits(_ policy: ServerConfiguration.SlowConsumer) -> ServerConfiguration {
    compressing {
      $0.limits.slowConsumer = policy
      $0.limits.queueMessages = 8
    }
  }

  /// The number behind the room's in each of the client's frames, up to the first that `isLast`.
  private func numbers(_ client: inout TestClient, upTo isLast: (TestClient.Frame) -> Bool) throws -> [Int] {
    var numbers: [Int] = []
    while let frame = try client.frame(), !isLast(frame) {
      #expect(frame.isCompressed)
      let text = try #require(RawDeflate.restore(frame.payload))
      numbers.append(try #require(Int(String(decoding: text, as: UTF8.self).split(separator: " ")[1])))
    }
    return numbers
  }

  @Test func `what waits for a slow client is whole frames, and the rest is told as dropped`() async throws {
    try await withShard(Self.limits(.drop)) { shard in
      var client = try shard.client(offering())
      let id = shard.newest
      let padding = noise(60_000, seed: 1)
      for number in 1...300 { shard.say { $0.item(1, number, padding: padding) } }
      shard.say { $0.text(id, "for you") }
      let received = try numbers(&client) { !$0.isCompressed }
      #expect(received == Array(1...received.count) && received.count < 300)
      #expect(ShardUnderTest.text(try shard.next()) == "dropped 1")
      // Told so, it is a member again, of the same kind.
      shard.say {
        $0.item(1, 400, padding: padding)
        $0.resync(id, 1)
        $0.item(1, 401, padding: padding)
        $0.text(id, "done")
      }
      #expect(try client.text() == "resync 1")
      #expect(try numbers(&client) { !$0.isCompressed } == [401])
    }
  }

  @Test func `a slow client is closed between frames`() async throws {
    try await withShard(Self.limits(.disconnect)) { shard in
      var client = try shard.client(offering())
      let padding = noise(60_000, seed: 1)
      for number in 1...300 { shard.say { $0.item(1, number, padding: padding) } }
      var end: Int?
      let received = try numbers(&client) {
        end = $0.closeCode
        return $0.opcode == 8
      }
      #expect(end == 4008 && received == Array(1...received.count) && received.count < 300)
    }
  }
}
