import RoostServer
import RoostTesting
import Testing

/// Agreeing on permessage-deflate, and what is refused with it and without (RFC 7692), by plain sockets.
@Suite("Compression: agreement and refusals", .timeLimit(.minutes(20)))
struct CompressionHandshakeTests {
  private func answer(_ node: Node, _ path: String, _ lines: String) throws -> String? {
    var client = try TestClient(port: node.port)
    try client.send(TestClient.upgradeRequest(path, lines))
    let answer = try #require(try client.answer())
    #expect(answer.status == 101)
    return answer.header("sec-websocket-extensions")
  }

  @Test func `is agreed on when offered, on both endpoints`() async throws {
    let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    try await withNode(compressing()) { node in
      for path in ["/echo", try "/ws?token=\(token("anna"))"] {
        #expect(try answer(node, path, offering("; client_max_window_bits")) == plain)
        #expect(
          try answer(node, path, offering("; server_max_window_bits=10")) == plain + "; server_max_window_bits=10")
        #expect(try answer(node, path, "") == nil)
        #expect(try answer(node, path, offering("; server_max_window_bits=8")) == nil)
        #expect(try answer(node, path, offering("; a=\"")) == nil)
        #expect(try answer(node, path, offering("; x") + "sec-websocket-extensions: permessage-deflate\r\n") == plain)
      }
    }
  }

  @Test func `is off unless the node is told otherwise`() async throws {
    try await withNode { node in
      for path in ["/echo", try "/ws?token=\(token("anna"))"] {
        let agreed = try answer(node, path, offering())
        #expect(agreed == nil)
      }
    }
  }

  /// What a peer does wrong, and the code it is closed with.
  struct Mistake: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let code: Int

    init(_ name: String, _ bytes: [UInt8], _ code: Int) {
      (testDescription, self.bytes, self.code) = (name, bytes, code)
    }

    static let hello = RawDeflate.compress(Array("Hello".utf8))
    static let everywhere = [
      Self("RSV1 on a ping", TestClient.frame([], opcode: 9, isCompressed: true), 1002),
      Self("RSV1 on a pong", TestClient.frame([], opcode: 10, isCompressed: true), 1002),
      Self("RSV1 on a close", TestClient.frame([3, 232], opcode: 8, isCompressed: true), 1002),
      Self(
        "RSV1 on a continuation",
        TestClient.frame(hello, isFinal: false, isCompressed: true)
          + TestClient.frame([], opcode: 0, isCompressed: true),
        1002),
      Self(
        "RSV1 on a plain message's continuation",
        TestClient.frame([65], isFinal: false) + TestClient.frame([65], opcode: 0, isCompressed: true), 1002),
      Self("RSV2", [0xA1, 0x80, 0, 0, 0, 0], 1002),
      Self("RSV1 and RSV3", [0xD1, 0x80, 0, 0, 0, 0], 1002),
      Self("no deflate", TestClient.frame([0xFF, 0xFF], isCompressed: true), 1007),
      Self("deflate cut off", TestClient.frame([0xF2, 0x48], isCompressed: true), 1007),
      Self(
        "deflate cut off, in fragments",
        TestClient.frame([0xF2], isFinal: false, isCompressed: true) + TestClient.frame([0x48], opcode: 0), 1007),
      Self(
        "garbage behind the end", TestClient.frame(hello + hello.dropLast() + [0xFF, 0x07], isCompressed: true), 1007),
      Self(
        "the window of a message before", TestClient.frame([0xF2, 0x00, 0x11, 0x00, 0x00], isCompressed: true), 1007),
      Self("one byte too many", TestClient.compressedFrame(String(repeating: " ", count: 4_097)), 1009),
      Self(
        "a bomb of four megabytes", TestClient.frame(RawDeflate.bomb(mebibytes: 4), opcode: 2, isCompressed: true), 1009
      ),
      Self("a hundred blocks of one byte", TestClient.frame(blocks, isCompressed: true), 1008),
      Self("too long on the wire", TestClient.frame([UInt8](repeating: 0, count: 5_000), isCompressed: true), 1009),
      Self(
        "too long on the wire, in fragments",
        TestClient.frame([UInt8](repeating: 0, count: 4_000), isFinal: false, isCompressed: true)
          + TestClient.frame([UInt8](repeating: 0, count: 1_000), opcode: 0), 1009),
    ]
    static let blocks: [UInt8] = (0..<100).flatMap { _ in RawDeflate.compress([65], flush: .sync) } + [0]
    static let notUTF8 = TestClient.frame(RawDeflate.compress([0xC3, 0x28]), isCompressed: true)
  }

  @Test(arguments: Mistake.everywhere, [true, false])
  func `mistakes end the connection with their code`(mistake: Mistake, isEcho: Bool) async throws {
    let configuration = compressing { $0.echo.messageBytes = 4_096 }
    try await withNode(configuration) { node in
      var client = try TestClient(port: node.port)
      try client.upgrade(isEcho ? "/echo" : "/ws?token=\(token("anna"))", offering())
      try client.send(mistake.bytes)
      #expect(try client.skip { $0.opcode == 8 }?.closeCode == mistake.code)
      #expect(try client.isAtEnd())
    }
  }

  @Test func `a compressed text that is not UTF-8 is refused`() async throws {
    try await withNode(compressing()) { node in
      for path in ["/echo", try "/ws?token=\(token("anna"))"] {
        var client = try TestClient(port: node.port)
        try client.upgrade(path, offering())
        try client.send(Mistake.notUTF8)
        #expect(try client.skip { $0.opcode == 8 }?.closeCode == 1007)
      }
    }
  }

  @Test(arguments: [true, false])
  func `who did not agree may not compress`(isEnabled: Bool) async throws {
    try await withNode(configured { $0.compression.isEnabled = isEnabled }) { node in
      for path in ["/echo", try "/ws?token=\(token("anna"))"] {
        var client = try TestClient(port: node.port)
        // On a node that could, it is the offer that is missing.
        try client.upgrade(path, isEnabled ? "" : offering())
        try client.send(TestClient.compressedFrame("Hello"))
        #expect(try client.frame()?.closeCode == 1002)
        #expect(try client.isAtEnd())
      }
    }
  }
}
