import EventLoops
import Glibc
import RealtimeCore
import RedisRelay
import RoostTesting
import Testing

/// Not a test but a ruler: `ROOST_MEASURE=1 swift test -c release --filter RelayMeasurement`. Prints what one message
/// costs Redis and this thread.
@Suite(.serialized, .enabled(if: unsafe getenv("ROOST_MEASURE") != nil), .timeLimit(.minutes(30)))
struct RelayMeasurement {
  @Test(arguments: [(1, 100), (1, 2_000), (8, 100), (16, 100)])
  func `Publishing`(_ batch: Int, _ rooms: Int) throws {
    try measure("publish, batches of \(batch), \(rooms) rooms", requests: 32_000 / batch, perRequest: batch) { number in
      let room = "room-\(number % rooms)"
      let messages = (0..<batch).map { index in
        let text =
          #"{"type":"new_message","room":"\#(room)","payload":{"content":"\#(Self.content)"}"#
          + #","sender":{"id":"user-17","name":"Ann"},"timestamp":"2026-11-03T14:05:09.042Z","id":"n1-\#(number)""#
        return Publication(
          text: Array(text.utf8), userID: "user-17", clientID: Array("c-\(number)-\(index)".utf8))
      }
      return .publish(RoomName(room)!, messages)
    }
  }

  @Test func `Reading unchanged rooms`() throws {
    try measure("read of 200 rooms that nobody knows", requests: 500, perRequest: 200) { number in
      .read((0..<200).map { (RoomName("room-\($0)")!, Position(epoch: "e", offset: number)) })
    }
  }

  @Test func `Joining`() throws {
    try measure("join, batches of 50", requests: 500, perRequest: 50) { number in
      .changePresence(
        incarnation: "i1",
        (0..<50).map {
          PresenceChange(room: RoomName("r\(number % 50)"), user: "user-\(number)-\($0)", name: "Ann", isJoin: true)
        })
    }
  }

  private static let content = String(repeating: "x", count: 60)

  private func measure(
    _ name: String, requests: Int, perRequest: Int, _ make: (Int) -> RelayRequest
  ) throws {
    let server = try RedisServer()
    let bench = try RelayBench()
    let node = bench.add(try .test(server, node: "n1"))
    try bench.waitConnected()
    try bench.register("i1", on: node)
    let questions = (0..<requests).map(make)
    let redisBefore = Self.processorSeconds(of: server.processID)
    let before = Self.threadNanoseconds()
    for (index, question) in questions.enumerated() {
      _ = bench.submit(question, on: node)
      if index % 32 == 31 { try bench.wait("replies") { node.answered.count >= index - 31 } }
    }
    try bench.wait("all replies") { node.answered.count == requests + 1 }
    let client = Double(Self.threadNanoseconds() - before) / Double(requests * perRequest)
    let redis = (Self.processorSeconds(of: server.processID) - redisBefore) * 1e6 / Double(requests * perRequest)
    let statistics = try server.ask("INFO", "commandstats").split(separator: "\n").filter { $0.contains("evalsha") }
    print("\(name): Redis \(redis) µs, client \(Int(client)) ns each; \(statistics)")
  }

  private static func threadNanoseconds() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
  }

  private static func processorSeconds(of process: pid_t) -> Double {
    guard let file = unsafe fopen("/proc/\(process)/stat", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 1_024)
    guard unsafe fgets(&line, 1_024, file) != nil else { return 0 }
    let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      .split(separator: " ")
    return (Double(words[13]) ?? 0) / 100 + (Double(words[14]) ?? 0) / 100
  }
}
