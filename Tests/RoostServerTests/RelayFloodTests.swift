import RoostServer
import RoostTesting
import Testing

/// What other programs publish on the relay channel is as hostile as anything else.
@Suite("Relay flood", .timeLimit(.minutes(20)))
struct RelayFloodTests {
  private static let deep = String(repeating: "[", count: 60_000)

  static let frames =
    [
      "x", "{}", "\u{0}", #"{"type":"dance","payload":1}"#, #"{"type":"new_message","room":"a|b","payload":1}"#,
      #"{"type":"user_left","room":"lobby","payload":{},"sender":{"id":"ben"}}"#,
      #"{"type":"new_message","room":"lobby","payload":1,"token":"guessed","offset":1,"epoch":"e","id":"i"}"#,
      #"{"type":"chat","payload":\#(deep)}"#, #"{"type":"chat","payload":"\#(String(repeating: "x", count: 90_000))"}"#,
    ].map { Array($0.utf8) } + [Array(#"{"type":"chat","payload":""#.utf8) + [0xFF, 0x22, 0x7D]]

  private static func publish(_ frame: [UInt8]) -> [UInt8] {
    Array("*3\r\n$7\r\nPUBLISH\r\n$12\r\nws:broadcast\r\n$\(frame.count)\r\n".utf8) + frame + [0x0D, 0x0A]
  }

  @Test func `bad frames are counted and dropped, and nobody who talks waits for the end of them`() async throws {
    let redis = try RedisServer()
    try await withNode(configured { $0.redisURL = redis.url }) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      let other = try TestClient(port: redis.port)
      let small = Self.frames.filter { $0.count < 1_000 }.flatMap(Self.publish)
      let count = 2_000 * Self.frames.count { $0.count < 1_000 } + Self.frames.count
      for _ in 0..<2_000 { try other.send(small) }
      try other.send(Self.frames.flatMap(Self.publish))
      for number in 1...20 {
        try anna.say("m\(number)", in: "lobby", id: "\(number)")
        #expect(try anna.talk().contains(#""offset":\#(number)"#))
        #expect(try ben.talk().contains(#""m\#(number)""#))
      }
      var counted = 0
      try eventually("all are counted") {
        counted = try #require(try metric("roost_relay_bad_frames_total", of: node))
        return counted >= count
      }
      #expect(counted == count)
      // Nobody believed any of it.
      try anna.say("last", in: "lobby", id: "last")
      #expect(try ben.talk().contains(#""last""#))
    }
  }
}
