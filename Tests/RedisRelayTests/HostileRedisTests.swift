import EventLoops
import Glibc
import RealtimeCore
import RedisRelay
import RoostTesting
import Testing

/// Whatever answers in place of Redis must cost no more than a connection: no crash, bounded memory, and another try.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct HostileRedisTests {
  static let greetings: [(name: String, bytes: [UInt8])] = [
    ("a billion elements", Array("*1000000000\r\n".utf8)),
    ("arrays in arrays", Array(String(repeating: "*1\r\n", count: 60).utf8)),
    ("arrays that multiply", Array(String(repeating: "*1000\r\n", count: 7).utf8)),
    ("an endless string", Array("$2000000000\r\n".utf8) + [UInt8](repeating: 65, count: 3 << 20)),
    ("an endless line", [UInt8(ascii: "+")] + [UInt8](repeating: 65, count: 3 << 20)),
    ("a negative length", Array("$-5\r\n*-7\r\n".utf8)),
    ("a length that is no number", Array("*9999999999999999999999\r\n$x\r\n".utf8)),
    ("HTTP", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
    ("good shape, bad content", Array((":1\r\n*0\r\n$-1\r\n+OK\r\n" as String).utf8)),
    ("errors", Array(String(repeating: "-ERR \u{1b}[31mred\r\n", count: 100).utf8)),
    ("more replies than questions", Array(String(repeating: "$3\r\nfoo\r\n", count: 5_000).utf8)),
    ("nothing", []),
  ]

  @Test(arguments: 0..<greetings.count)
  func `Nonsense ends the connection, never the process`(_ index: Int) throws {
    let bytes = Self.greetings[index].bytes
    let impostor = try RedisImpostor { _ in bytes }
    defer { impostor.stop() }
    let bench = try RelayBench()
    let node = bench.add(try Self.configuration(impostor))
    let before = residentBytes()
    try bench.wait("a second try") { impostor.connections >= 3 && !node.notices.isEmpty }
    bench.run(milliseconds: 100)
    // What is claimed would be gigabytes. Other tests of this process take some meanwhile.
    #expect(residentBytes() - before < 512 << 20)
    #expect(node.state != .connected)
    #expect(node.notices.allSatisfy { $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
  }

  @Test(arguments: [UInt64](1...8))
  func `Random bytes and damaged replies end the connection, never the process`(_ seed: UInt64) throws {
    let sane = "+OK\r\n$12\r\nrun_id:abcde\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n:5\r\n*2\r\n*-1\r\n-ERR x\r\n"
    let impostor = try RedisImpostor { number in
      var random = SeededGenerator(seed: seed &* 1_000 &+ UInt64(number))
      var bytes = Array(String(repeating: sane, count: 4).utf8)
      if number % 2 == 0 { return (0..<2_000).map { _ in UInt8.random(in: 0...255, using: &random) } }
      for _ in 0..<12 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random) }
      return bytes
    }
    defer { impostor.stop() }
    let bench = try RelayBench()
    let node = bench.add(try Self.configuration(impostor), seed: seed)
    try bench.wait("several tries") { impostor.connections >= 10 }
    #expect(node.state != .connected)
  }

  @Test func `The password appears in no notice`() throws {
    let server = try RedisServer(["--requirepass", "right"])
    let bench = try RelayBench()
    let url = try RedisURL("redis://:wr%20ong@127.0.0.1:\(server.port)")
    let node = bench.add(try RedisRelayConfiguration(server: url, nodeID: "n1"))
    try bench.wait("a refusal") { node.notices.contains { $0.contains("WRONGPASS") } }
    #expect(node.notices.allSatisfy { !$0.contains("wr ong") && !$0.contains("wr%20ong") })
  }

  private static func configuration(_ impostor: RedisImpostor) throws -> RedisRelayConfiguration {
    let server = try RedisURL("redis://127.0.0.1:\(impostor.port)")
    var configuration = try RedisRelayConfiguration(server: server, nodeID: "n1")
    configuration.replyBytes = 1 << 20
    return configuration
  }
}
