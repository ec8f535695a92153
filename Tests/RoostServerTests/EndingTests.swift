import Glibc
import RoostServer
import RoostTesting
import Testing

/// Who is closed already and goes on sending.
@Suite("Ending", .timeLimit(.minutes(20)))
struct EndingTests {
  struct Opening: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What the connection is closed for.
    let bytes: [UInt8]
    var isWebSocket = true
  }

  private static let ping = TestClient.frame(Array(repeating: 0x78, count: 125), opcode: 9)

  static let openings = [
    Opening(testDescription: "a frame without a mask", bytes: [0x81, 0x01, 0x78]),
    Opening(testDescription: "a thousand pings", bytes: Array(repeating: ping, count: 1_000).flatMap { $0 }),
    Opening(testDescription: "a close frame", bytes: TestClient.frame([0x03, 0xE8], opcode: 8)),
    Opening(testDescription: "no HTTP", bytes: Array("hello?\r\n\r\n".utf8), isWebSocket: false),
  ]

  /// Sends until the node breaks off; a gigabyte at most. How many bytes went.
  private func flood(_ client: borrowing TestClient) -> Int {
    let piece = Array(repeating: Self.ping, count: 1_000).flatMap { $0 }
    var sent = 0
    while sent < 1 << 30 {
      do { try client.send(piece) } catch { break }
      sent += piece.count
    }
    return sent
  }

  @Test(arguments: openings, [0, 65_536])
  func `it is not read for as long as the node waits for its end`(opening: Opening, bytesPerSecond: Int) async throws {
    let configuration = configured {
      $0.limits.bytesPerSecond = bytesPerSecond
      $0.times.close = 1
    }
    try await withNode(configuration) { node in
      let client =
        opening.isWebSocket ? try TestClient.chat(node, "mallory") : try TestClient(port: node.port)
      try client.send(opening.bytes)
      // The kernels of both sides keep up to ten megabytes; a node that reads takes hundreds in a second.
      #expect(flood(client) < 32 << 20)
    }
  }
}
