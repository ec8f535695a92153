import Glibc
import RoostTesting
import Telemetry
import Testing

@testable import RealtimeCore
@testable import RoostServer

/// Clients that read late, or not at all. The kernel takes some megabytes for each before its queue begins.
@Suite("Slow clients", .serialized, .timeLimit(.minutes(20)))
struct SlowClientTests {
  private static func limits(_ policy: ServerConfiguration.SlowConsumer) -> ServerConfiguration {
    configured {
      $0.limits.slowConsumer = policy
      $0.limits.queueMessages = 8
    }
  }

  /// Many turns of a room's messages.
  private func flood(_ shard: borrowing ShardUnderTest, _ room: RoomNumber, _ numbers: ClosedRange<Int>) {
    for number in numbers { shard.say { $0.item(room, number, bytes: 60_000) } }
  }

  /// The numbers of a room's messages among `texts`.
  private func numbers(_ texts: [String], _ room: RoomNumber = 1) -> [Int] {
    texts.compactMap { text in
      let words = text.split(separator: " ", maxSplits: 2)
      return words[0] == "\(room)" ? Int(words[1]) : nil
    }
  }

  /// The first words of what the client gets, up to `last`.
  private func read(_ client: inout TestClient, to last: String) throws -> [String] {
    var texts: [String] = []
    while texts.last != last {
      guard let frame = try client.frame() else { throw TestClient.Failure.malformed }
      texts.append(frame.opcode == 8 ? "close \(frame.closeCode ?? 0)" : String(frame.text.prefix(20)))
    }
    return texts
  }

  // MARK: Replays

  @Test func `a replay larger than all buffers arrives whole, between what was before and after it`() async throws {
    try await withShard(Self.limits(.disconnect)) { shard in
      var client = try shard.client()
      let id = shard.newest
      let replay = past(1...300) { _ in 30_000 }
      shard.say {
        $0.text(id, "before")
        $0.replay(id, replay)
        $0.item(1, 301)
      }
      for number in 302...308 { shard.say { $0.item(1, number) } }
      #expect(try client.text() == "before")
      for frame in replay.frames {
        let isSame = try client.frame()?.payload == Array(frame.dropFirst(4))
        try #require(isSame)
      }
      var live: [String] = []
      for _ in 301...308 { live.append(try client.text()) }
      #expect(numbers(live) == Array(301...308))
      #expect(try shard.rest(behind: client) == ["drained"])
      #expect(shard.context.closes[.tooSlow] == 0)
    }
  }

  @Test func `replays that fit, and empty ones, are reported at once`() async throws {
    try await withShard(Self.limits(.disconnect)) { shard in
      var client = try shard.client()
      let id = shard.newest
      for offset in [1, 11] {
        shard.say {
          $0.text(id, "before")
          $0.replay(id, past(offset...offset + 9))
          $0.text(id, "after")
        }
        #expect(try shard.next().isDrained)
        let texts = try read(&client, to: "after")
        #expect(texts.count == 12 && texts[0] == "before")
      }
      var none = past(1...1)
      none = Replay(messages: none.messages.dropFirst(), user: "me")
      shard.say { $0.replay(id, none) }
      #expect(try shard.next().isDrained)
      #expect(try shard.rest(behind: client) == [])
    }
  }

  @Test func `live messages behind a replay count, and closing ends the replay between frames`() async throws {
    try await withShard(Self.limits(.disconnect)) { shard in
      var client = try shard.client()
      let id = shard.newest
      shard.say { $0.replay(id, past(1...300) { _ in 30_000 }) }
      for number in 301...309 { shard.say { $0.item(1, number) } }
      #expect(try shard.next().isDisconnect)
      var replayed = 0
      var end: Int?
      while end == nil, let frame = try client.frame() {
        if frame.opcode == 1 { replayed += 1 }
        #expect(frame.opcode == 8 || frame.text.contains(#""offset":\#(replayed)}"#))
        end = frame.closeCode
      }
      #expect(end == 4008 && replayed < 300)
      try client.send(TestClient.frame([0x0F, 0xA8], opcode: 8))
      #expect(try client.isAtEnd())
    }
  }

  @Test func `who asks for the past and never reads is dropped after the write wait`() async throws {
    var configuration = Self.limits(.disconnect)
    configuration.times.write = 3
    try await withShard(configuration) { shard in
      let client = try shard.client()
      let id = shard.newest
      shard.say { $0.replay(id, past(1...300) { _ in 30_000 }) }
      #expect(try shard.next().isDisconnect)
      let isOpen = client.isOpen
      #expect(isOpen)
    }
  }

  // MARK: Dropping

  @Test func `dropping leaves out a room's messages until the client was told, and nothing else`() async throws {
    try await withShard(Self.limits(.drop)) { shard in
      var client = try shard.client(rooms: 2)
      let id = shard.newest
      flood(shard, 1, 1...200)
      shard.say {
        $0.item(2, 1)
        $0.text(id, "for you")
      }
      let before = try read(&client, to: "for you")
      let received = numbers(before)
      #expect(received == Array(1...received.count) && received.count < 200)
      #expect(numbers(before, 2) == [])
      #expect([try shard.next(), try shard.next()].map(ShardUnderTest.text) == ["dropped 1", "dropped 2"])
      let counted = try shard.counters(behind: client)
      #expect(counted.dropped == 201 - received.count && counted.muted == 2 && shard.context.closes[.tooSlow] == 0)

      // What comes before the client was told is not for it, what comes after is.
      shard.say {
        $0.item(1, 500)
        $0.resync(id, 1)
        $0.item(1, 501)
        $0.item(2, 500)
      }
      shard.say {
        $0.resync(id, 2)
        $0.item(2, 501)
        $0.text(id, "done")
      }
      let after = try read(&client, to: "done")
      #expect(after.map { $0.trimmingSpaces } == ["resync 1", "1 501", "resync 2", "2 501", "done"])
      #expect(try shard.rest(behind: client) == [])
    }
  }

  @Test func `a small message does not slip past a large one that was dropped`() async throws {
    var configuration = Self.limits(.drop)
    configuration.limits.queueMessages = 1_000
    configuration.limits.queueBytes = 100_000
    try await withShard(configuration) { shard in
      var client = try shard.client()
      let id = shard.newest
      for number in 0..<200 {
        shard.say {
          $0.item(1, 2 * number + 1, bytes: 60_000)
          $0.item(1, 2 * number + 2)
        }
      }
      shard.say { $0.text(id, "end") }
      let received = numbers(try read(&client, to: "end"))
      #expect(received == Array(1...received.count) && received.count < 400)
      #expect(ShardUnderTest.text(try shard.next()) == "dropped 1")
    }
  }

  @Test func `leaving and coming again while messages are dropped starts anew`() async throws {
    try await withShard(Self.limits(.drop)) { shard in
      var client = try shard.client()
      let id = shard.newest
      flood(shard, 1, 1...200)
      try shard.ask(client, "leave_room", 1)
      try shard.ask(client, "join_room", 1)
      shard.say {
        $0.exit(id, 1)
        $0.enter(id, 1)
      }
      let before = numbers(try read(&client, to: "enter 1"))
      #expect(before == Array(1...before.count) && before.count < 200)
      // A late answer about the earlier stay changes nothing.
      shard.say {
        $0.resync(id, 1)
        $0.item(1, 300)
        $0.text(id, "done")
      }
      #expect(try read(&client, to: "done").map { $0.trimmingSpaces } == ["resync 1", "1 300", "done"])
      #expect(try shard.rest(behind: client) == [])
    }
  }

  @Test func `leaving between the question and the answer leaves nothing behind`() async throws {
    try await withShard(Self.limits(.drop)) { shard in
      var client = try shard.client()
      let id = shard.newest
      flood(shard, 1, 1...200)
      shard.say { $0.text(id, "end") }
      _ = try read(&client, to: "end")
      #expect(ShardUnderTest.text(try shard.next()) == "dropped 1")
      try shard.ask(client, "leave_room", 1)
      shard.say {
        $0.resync(id, 1)
        $0.item(1, 300)
        $0.exit(id, 1)
        $0.item(1, 301)
        $0.text(id, "done")
      }
      #expect(try read(&client, to: "done").map { $0.trimmingSpaces } == ["resync 1", "1 300", "exit 1", "done"])
      // Muted and gone: the room is counted right for the next one.
      let dropped = try shard.counters(behind: client).dropped
      var other = try shard.client()
      let otherID = shard.newest
      shard.say {
        $0.item(1, 302)
        $0.text(otherID, "done")
      }
      #expect(try read(&other, to: "done").map { $0.trimmingSpaces } == ["1 302", "done"])
      let later = try shard.counters(behind: other).dropped
      #expect(later == dropped)
    }
  }

  @Test func `what one client lost is not taken from another who catches up in the same turn`() async throws {
    try await withShard(Self.limits(.drop)) { shard in
      let full = try shard.client(rooms: 2)
      let fullID = shard.newest
      var client = try shard.client()
      let id = shard.newest
      let (long, short) = (past(1...300) { _ in 30_000 }, past(1...2))
      shard.say { $0.replay(id, long) }
      _ = try shard.rest(behind: client)  // so that each of these is a turn of its own
      shard.say {
        $0.replay(fullID, long)
        for number in 1...8 { $0.item(2, number) }
        $0.item(1, 1)
        $0.replay(fullID, short)
      }
      _ = try shard.rest(behind: client)
      shard.say {
        $0.item(1, 2)
        $0.text(id, "end")
      }
      #expect(numbers(try read(&client, to: "end")) == [1, 2])
      let counted = try shard.counters(behind: client)
      #expect(counted.dropped == 2 && counted.muted == 1)
      _ = full
    }
  }

  @Test func `messages to the client alone are never dropped, but end it at twice the limit`() async throws {
    try await withShard(Self.limits(.drop)) { shard in
      var client = try shard.client()
      let id = shard.newest
      for number in 1...200 { shard.say { $0.text(id, "1 \(number) \(String(repeating: "x", count: 60_000))") } }
      #expect(try shard.next().isDisconnect)
      let texts = try read(&client, to: "close 4008")
      #expect(numbers(texts) == Array(1..<texts.count) && texts.count < 200)
      try client.send(TestClient.frame([0x0F, 0xA8], opcode: 8))
      #expect(try client.isAtEnd())
    }
  }

  @Test func `a connection that ends while messages are dropped is forgotten`() async throws {
    try await withShard(Self.limits(.drop)) { shard in
      let client = try shard.client()
      flood(shard, 1, 1...200)
      // Keeps the room, so that what is counted for it lasts.
      var other = try shard.client()
      let id = shard.newest
      client.shutdownSending()
      #expect(try shard.next().isDisconnect)
      let dropped = try shard.counters(behind: other).dropped
      shard.say {
        $0.item(1, 201)
        $0.text(id, "done")
      }
      #expect(try read(&other, to: "done").map { $0.trimmingSpaces } == ["1 201", "done"])
      let later = try shard.counters(behind: other).dropped
      #expect(later == dropped && dropped > 0)
    }
  }

  // MARK: Seeing them

  @Test func `slow clients are in the metrics and named, until they have caught up`() async throws {
    try await withShard(Self.limits(.drop)) { shard in
      var client = try shard.client()
      let id = shard.newest
      flood(shard, 1, 1...200)
      shard.say { $0.text(id, "end") }
      var watcher = try TestClient(port: shard.port)
      let metrics = try metrics(&watcher) {
        $0.contains("roost_backlogs 1\n") && $0.contains("roost_backlog_messages 8\n")
          && $0.contains(#"{action="drop"} 1"#)
      }
      // The report may be older than that, but it is not of another time: the client reads nothing.
      try eventually("the report") { shard.context.backlogs[0].latest.slowest.first?.mutedRooms == 1 }
      let report = shard.context.backlogs[0].latest
      let slow = try #require(report.slowest.first)
      #expect(report.slowest.count == 1 && slow.address == "127.0.0.1" && slow.mutedRooms == 1)
      #expect(slow.connection.count == 16 && slow.messages == 8 && slow.bytes > 100_000)
      #expect(metrics.contains(/roost_messages_dropped_total [1-9]/))
      #expect(report.largestBytes == slow.bytes && report.bytes == slow.bytes)
      _ = try read(&client, to: "end")
      _ = try self.metrics(&watcher) { $0.contains("roost_backlogs 0\n") && $0.contains("roost_backlog_bytes 0\n") }
    }
  }

  /// The node's metrics as soon as they are as wanted.
  private func metrics(_ client: inout TestClient, _ isWanted: (String) -> Bool) throws -> String {
    var body = ""
    try eventually("metrics") {
      try client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
      guard let answer = try client.answer() else { throw TestClient.Failure.malformed }
      body = answer.body
      return isWanted(body)
    }
    return body
  }

  @Test func `of many slow clients ten are named, those with the most`() {
    func client(_ bytes: Int) -> SlowClient {
      SlowClient(
        connection: "", address: "", bytes: bytes, messages: 0, replayMessages: 0, mutedRooms: 0,
        stalledMilliseconds: 0)
    }
    var (one, other) = (BacklogReport(), BacklogReport())
    (one.clients, one.bytes, one.slowest) = (2, 30, [client(20), client(10)])
    (other.clients, other.bytes, other.slowest) = (1, 15, [client(15)])
    let sum = one + other
    #expect(sum.clients == 3 && sum.bytes == 45 && sum.largestBytes == 20)
    #expect(sum.slowest.map(\.bytes) == [20, 15, 10])
  }
}

extension HubCommand {
  fileprivate var isDrained: Bool { ShardUnderTest.text(self) == "drained" }
  fileprivate var isDisconnect: Bool { ShardUnderTest.text(self) == "disconnect" }
}

extension String {
  fileprivate var trimmingSpaces: String { last == " " ? String(dropLast()) : self }
}
