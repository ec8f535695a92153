import EventLoops
import RoostServer
import RoostTesting
import Testing

/// Bytes that break a rule of framing, and the code that ends the connection. One row for each rule, by raw sockets;
/// every cut of such bytes is in `WebSocketCoreTests`.
@Suite("Frames", .timeLimit(.minutes(20)))
struct FrameTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var code: Int

    init(_ name: String, _ code: Int, _ frames: [UInt8]...) {
      (testDescription, self.code, bytes) = (name, code, frames.flatMap { $0 })
    }
  }

  /// A frame with every bit under the test's control; the mask key is 0, so that the payload is what it says.
  static func frame(_ first: UInt8, _ payload: [UInt8] = [], claims: UInt64? = nil, lengthBytes: Int? = nil) -> [UInt8]
  {
    let length = claims ?? UInt64(payload.count)
    let width = lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8)
    let short = width == 0 ? UInt8(length) : width == 2 ? 126 : 127
    let extended = (0..<width).reversed().map { UInt8(truncatingIfNeeded: length >> UInt64(8 * $0)) }
    return [first, 0x80 | short] + extended + [0, 0, 0, 0] + payload
  }

  static func close(_ code: Int, _ reason: [UInt8] = []) -> [UInt8] {
    frame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
  }

  static let a = Array("a".utf8)

  static let headers: [Row] = [
    Row("a frame without mask", 1002, [0x81, 0x01, 0x61]),
    Row("RSV1", 1002, frame(0xC1, a)), Row("RSV2", 1002, frame(0xA1, a)), Row("RSV3", 1002, frame(0x91, a)),
    Row("opcode 3", 1002, frame(0x83)), Row("opcode 7", 1002, frame(0x87)), Row("opcode 11", 1002, frame(0x8B)),
    Row("opcode 15", 1002, frame(0x8F)),
    Row("a ping of 126 bytes", 1002, frame(0x89, [UInt8](repeating: 0, count: 126))),
    Row("a ping in pieces", 1002, frame(0x09)), Row("a close in pieces", 1002, frame(0x08)),
    Row("a continuation of nothing", 1002, frame(0x80, a)), Row("its first piece", 1002, frame(0x00, a)),
    Row("a message within a message", 1002, frame(0x01, a), frame(0x81, a)),
    Row("a piece that begins within a message", 1002, frame(0x02, a), frame(0x02, a)),
    Row("a length of 125 in two bytes", 1002, frame(0x81, claims: 125, lengthBytes: 2)),
    Row("a length of 65,535 in eight bytes", 1002, frame(0x81, claims: 65_535, lengthBytes: 8)),
    Row("a length of 2^63", 1002, frame(0x82, claims: 1 << 63)),
    Row("a length of 2^64 - 1", 1002, frame(0x82, claims: .max)),
  ]

  /// Of the payloads nothing is sent: the header decides.
  static let sizes: [Row] = [
    Row("a message over the size", 1009, frame(0x81, claims: 4_097)),
    Row("a message of nearly 2^63", 1009, frame(0x82, claims: .max >> 1)),
    Row("pieces over the size", 1009, frame(0x02, [UInt8](repeating: 0, count: 4_000)), frame(0x80, claims: 97)),
    Row("pieces whose sum is over 2^63", 1009, frame(0x02, a), frame(0x80, claims: .max >> 1)),
    Row("65 pieces", 1008, frame(0x01, a), (0..<64).flatMap { _ in frame(0x00, a) }),
    Row("nine empty pieces in a row", 1008, frame(0x01, a), (0..<9).flatMap { _ in frame(0x00) }),
  ]

  static let texts: [Row] = [
    Row("a text that is not UTF-8", 1007, frame(0x81, [0x22, 0xFF, 0x22])),
    Row("behind what is no JSON", 1007, frame(0x81, Array("no JSON ".utf8) + [0xC0, 0x80])),
    Row("behind what is too deep", 1007, frame(0x81, [UInt8](repeating: 0x5B, count: 40) + [0xED, 0xA0, 0x80])),
    Row("a piece that is not UTF-8, before its message ends", 1007, frame(0x01, [0xE2, 0x28])),
    Row("a frame that is not UTF-8, before it ends", 1007, frame(0x81, [0x61, 0xF4, 0x90], claims: 1_000)),
    Row("a message that ends within a character", 1007, frame(0x01, [0xE2]), frame(0x80, [0x82])),
    Row("a close reason that is not UTF-8", 1007, close(1000, [0xC0, 0x80])),
  ]

  static let closes: [Row] =
    [Row("a close of one byte", 1002, frame(0x88, [3]))]
    + [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map { Row("a close with \($0)", 1002, close($0)) }
    + [1000, 1001, 1003, 1007, 1014, 3000, 4999].map { Row("a close with \($0) is answered", $0, close($0)) }

  @Test("end the connection with their code", arguments: headers + sizes + texts + closes)
  func table(row: Row) async throws {
    try await withNode { node in
      var client = try TestClient.chat(node, "anna")
      try client.send(row.bytes)
      // Nothing but the code: no byte of it comes from anywhere else.
      let code = [UInt8(row.code >> 8), UInt8(row.code & 0xFF)]
      #expect(try client.frame() == .init(opcode: 8, payload: code))
      #expect(try client.isAtEnd())
    }
  }

  @Test func `a close without a code is answered without one`() async throws {
    try await withNode { node in
      var client = try TestClient.chat(node, "anna")
      try client.send(Self.frame(0x88))
      #expect(try client.frame() == .init(opcode: 8, payload: []))
      #expect(try client.isAtEnd())
    }
  }

  @Test(arguments: [
    ("in one piece", frame(0x81, claims: 100)), ("in pieces", frame(0x01, a)),
    ("in pieces that come one by one", frame(0x01, a) + frame(0x00, a)),
  ])
  func `a message must be complete in time`(name: String, bytes: [UInt8]) async throws {
    try await withNode(configured { $0.limits.fragmentSeconds = 1 }) { node in
      var client = try TestClient.chat(node, "anna")
      try client.send(bytes)
      #expect(try client.frame()?.closeCode == 1008)
      #expect(try client.isAtEnd())
    }
  }

  /// Each message has its own time, however the network cuts their stream. A test that itself took as long for one is
  /// made again.
  @Test func `a stream of messages in pieces may go on for longer than one of them`() async throws {
    try await withNode(configured { $0.limits.fragmentSeconds = 1 }) { node in
      try eventually("a stream without a pause") {
        var client = try TestClient.chat(node, "anna")
        let message = Array(#"{"type":"ping"}"#.utf8)
        let (head, tail) = (Self.frame(0x01, Array(message.prefix(5))), Self.frame(0x80, Array(message.dropFirst(5))))
        let start = monotonicMilliseconds()
        var (begun, longest) = (start, Int64(0))
        try client.send(head)
        while monotonicMilliseconds() < start + 3_000 {
          // Never between two messages: one ends and the next begins in one piece.
          let next = monotonicMilliseconds()
          try? client.send(tail + head)
          let frame = try client.frame()
          longest = max(longest, monotonicMilliseconds() - begun)
          begun = next
          guard frame?.text.contains("pong") != true else { continue }
          #expect(longest >= 1_000, "closed with \(frame?.closeCode as Any)")
          return false
        }
        return true
      }
    }
  }

  @Test(arguments: [("pings", 9), ("pongs that nobody asked for", 10)] as [(String, UInt8)])
  func `a flood of control frames ends the connection`(name: String, opcode: UInt8) async throws {
    try await withNode { node in
      var client = try TestClient.chat(node, "anna")
      try client.send((0..<200).flatMap { _ in Self.frame(0x80 | opcode) })
      var answers = 0
      let end = try client.skip {
        if $0.opcode == 10 { answers += 1 }
        return $0.opcode == 8
      }
      #expect(end?.closeCode == 1008)
      #expect(answers <= 60, "a ping has one pong, and the last ones none")
      #expect(try metric("roost_closes_total{code=\"1008\",reason=\"control_flood\"}", of: node) == 1)
    }
  }

  @Test func `a binary frame is a message, and one that is no JSON is an offence`() async throws {
    try await withNode { node in
      var client = try TestClient.chat(node, "anna")
      try client.send(Self.frame(0x82, Array(#"{"type":"ping"}"#.utf8)))
      #expect(try client.text().contains("pong"))
      for count in 0..<10 {
        // As text it would be 1007.
        try client.send(Self.frame(count % 2 == 0 ? 0x82 : 0x81, count % 2 == 0 ? [0xFF, 0xFE] : Self.a))
        #expect(try client.text().contains("INVALID_FORMAT"))
      }
      #expect(try client.frame()?.closeCode == 1008)
      #expect(try client.isAtEnd())
    }
  }

  @Test func `who does not answer a close is dropped, and what it still says is not heard`() async throws {
    try await withNode(configured { $0.times.close = 1 }) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      for _ in 0..<10 { try anna.sendFrame("no JSON") }
      #expect(try anna.skip { $0.opcode == 8 }?.closeCode == 1008)
      try? anna.say("too late", in: "lobby", id: "1")
      #expect(try anna.isAtEnd())
      try ben.say("first", in: "lobby", id: "2")
      #expect(try ben.talk().contains(#""offset":1"#))
    }
  }

  @Test func `nothing is heard behind a client's own close`() async throws {
    try await withNode { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      let late = Array(#"{"type":"send_message","room":"lobby","payload":1}"#.utf8)
      try anna.send(Self.close(1000) + Self.frame(0x81, late) + [0xFF, 0xFF])
      #expect(try anna.skip { $0.opcode == 8 }?.closeCode == 1000)
      #expect(try anna.isAtEnd())
      try ben.say("first", in: "lobby", id: "2")
      #expect(try ben.talk().contains(#""offset":1"#))
    }
  }
}

/// The value of one series, as `/metrics` shows it; `nil` when it is not there.
func metric(_ series: String, of node: Node) throws -> Int? {
  var client = try TestClient(port: node.port)
  try client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
  let lines = try #require(try client.answer()?.body).split(separator: "\n")
  return lines.first { $0.hasPrefix(series + " ") }.flatMap { Int($0.dropFirst(series.count + 1)) }
}
