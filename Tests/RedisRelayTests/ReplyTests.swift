import RealtimeCore
import RoostTesting
import Testing

@testable import RedisRelay

struct ReplyTests {
  private func replies(_ text: String, chunk: Int, byteLimit: Int = 4_096, itemLimit: Int = 64) throws -> [Reply] {
    var reader = ReplyReader(byteLimit: byteLimit, itemLimit: itemLimit)
    let bytes = Array(text.utf8)
    var found: [Reply] = []
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      let part = Array(bytes[start..<min(start + chunk, bytes.count)])
      try unsafe reader.feed(part.span.bytes)
      var reply = Reply()
      while try reader.next(into: &reply) { found.append(reply) }
    }
    return found
  }

  @Test(arguments: [1, 2, 3, 7, 1_000])
  func `Replies come out flat, however they were cut`(_ chunk: Int) throws {
    let found = try replies(
      "*3\r\n:-7\r\n*2\r\n$3\r\na\r\n\r\n$-1\r\n+fine\r\n-ERR no\r\n*0\r\n*-1\r\n$0\r\n\r\n", chunk: chunk)
    #expect(found.count == 5)
    #expect(found[0].items == [.array(3), .integer(-7), .array(2), .text(0..<3), .null, .text(3..<7)])
    #expect(String(decoding: found[0].bytes, as: UTF8.self) == "a\r\nfine")
    #expect(found[1].errorText == "ERR no")
    #expect(found[2].items == [.array(0)])
    #expect(found[3].items == [.null])
    #expect(found[4].items == [.text(0..<0)])
  }

  @Test func `More than was agreed is refused`() {
    let rows = String(repeating: ":1\r\n", count: 32)
    let nested = String(repeating: "*1\r\n", count: 9)
    for text in ["*65\r\n", "*2\r\n*32\r\n\(rows)*33\r\n", "*1000000000\r\n", "x\r\n", nested] {
      #expect(throws: MalformedReply.self) { try replies(text, chunk: 1_000) }
    }
  }

  /// The hub adds to them: an offset at the end of the numbers, wherever it comes from, must not reach it.
  @Test(arguments: [
    (RequestShape.publish(RoomName("r")!, count: 1), "*3\r\n:#\r\n$1\r\ne\r\n:0\r\n"),
    (.read([(RoomName("r")!, nil)]), "*1\r\n*4\r\n$1\r\ne\r\n:#\r\n:1\r\n*0\r\n"),
    (.read([(RoomName("r")!, nil)]), "*1\r\n*4\r\n$1\r\ne\r\n:1\r\n:1\r\n*2\r\n:#\r\n$2\r\n{}\r\n"),
    (.history, "*4\r\n$1\r\ne\r\n:#\r\n:1\r\n*0\r\n"),
    (.roster(RoomName("r")!), "*5\r\n:#\r\n$1\r\ne\r\n:1\r\n:1\r\n*0\r\n"),
    (.roster(RoomName("r")!), "*5\r\n:1\r\n$1\r\ne\r\n:#\r\n:1\r\n*0\r\n"),
    (.roster(RoomName("r")!), "*5\r\n:1\r\n$1\r\ne\r\n:1\r\n:#\r\n*0\r\n"),
    (.online, "*3\r\n:1\r\n:#\r\n:1\r\n"), (.sent, ":#\r\n"),
  ])
  func `Numbers out of bounds are refused`(_ shape: RequestShape, _ text: String) throws {
    func decoded(_ number: String) throws -> RelayReply {
      var reply = try #require(try replies(text.replacing("#", with: number), chunk: 1_000).first)
      return try reply.decode(shape)
    }
    for number in ["1", "9007199254740991"] { #expect(throws: Never.self) { try decoded(number) } }
    for number in ["-1", "9007199254740992", "9223372036854775807"] {
      #expect(throws: MalformedReply.unexpectedShape) { try decoded(number) }
    }
  }

  @Test func `Bytes that wait for their end are bounded`() {
    let text = "$1000000\r\n" + String(repeating: "a", count: 5_000)
    #expect(throws: MalformedReply.tooLong) { try replies(text, chunk: 500) }
  }

  @Test(arguments: [UInt64](1...20))
  func `Damaged replies are refused or read, never worse`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let sane = Array("*2\r\n$3\r\nabc\r\n*2\r\n:1\r\n-E x\r\n+OK\r\n$-1\r\n*3\r\n:1\r\n:2\r\n:3\r\n".utf8)
    for _ in 0..<300 {
      var bytes = sane
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      var reader = ReplyReader(byteLimit: 4_096, itemLimit: 64)
      var reply = Reply()
      let shapes: [RequestShape] = [
        .publish(RoomName("r")!, count: 1), .read([(RoomName("r")!, nil)]), .roster(RoomName("r")!), .changed, .alive,
        .reaped, .online, .sent,
      ]
      do {
        try unsafe reader.feed(bytes.span.bytes)
        while try reader.next(into: &reply) { _ = try? reply.decode(shapes.randomElement(using: &random)!) }
      } catch {}
    }
  }

  @Test(arguments: ["", "plain", "q\"b\\s", "\u{0}\n\u{1f}", "ünï😀", "\\u0041", "\\", "\"", "\\\\u0001"])
  func `Text survives its JSON form`(_ text: String) {
    let escaped = JSONText.escaped(text)
    #expect(JSONText.unescaped(escaped) == text)
    #expect(!escaped.utf8.contains { $0 < 0x20 })
  }

  @Test func `Digests differ when any part differs, and where the parts end`() {
    func digest(_ user: String, _ room: String, _ id: String) -> [UInt8] {
      PublicationDigest.of(Publication(text: [], userID: user, clientID: Array(id.utf8)), room: RoomName(room)!)
    }
    let all = [
      digest("a", "b", "c"), digest("ab", "b", "c"), digest("a", "bb", "c"), digest("a", "b", "cc"),
      digest("ab", "c", ""), digest("a", "bc", ""), digest("b", "a", "c"),
    ]
    #expect(Set(all).count == all.count)
    #expect(all.allSatisfy { $0.count == 16 })
    #expect(digest("a", "b", "c") == all[0])
  }

  @Test func `INFO is read line by line, and nothing odd is believed`() {
    var info = ServerInfo()
    let id = String(repeating: "0a", count: 20)
    info.take("# Server\r\nrun_id:\(id)\r\nredis_version:7.0.15\r\n")
    info.take("role:master\r\nmaster_replid:\(id)\r\n")
    info.take("cluster_enabled:0\r\n")
    #expect(info.refusal == nil)
    #expect(info.lineage == "0a0a0a0a0a0a0a0a0a0a0a0a")
    info.take("run_id:'; drop\r\n")
    #expect(info.refusal != nil)
  }
}
