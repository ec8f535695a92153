import Buffers
import Glibc
import RoostTesting
import Testing

@testable import LoadGenerator

@Suite("load generator")
struct LoadGeneratorTests {
  @Test func `markers survive any number`() {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<200 {
      let marker = Marker(time: random.next(), sequence: .random(in: 0 ... .max, using: &random), sender: 7)
      var bytes = [UInt8](repeating: 120, count: 60)
      let place = Int.random(in: 0...25, using: &random)
      marker.write(over: &bytes, at: place)
      #expect(unsafe Marker.find(in: bytes.span.bytes) == place)
      #expect(unsafe Marker(in: bytes.span.bytes, at: place) == marker)
      #expect(unsafe Marker(in: bytes.span.bytes, at: place + 1) == nil)
    }
  }

  @Test func `a histogram is within two percent`() {
    var histogram = LatencyHistogram()
    for value in 1...100_000 { histogram.add(UInt64(value) * 1_000) }
    for share in [0.5, 0.9, 0.99, 0.999] {
      let exact = share * 100_000
      #expect(abs(histogram.microseconds(at: share) - exact) / exact < 0.02)
    }
    #expect(histogram.maximum == 100_000_000)
    #expect(histogram.count == 100_000)
    #expect(LatencyHistogram().microseconds(at: 0.5) == 0)
  }

  @Test(arguments: [
    ("ws://127.0.0.1:8080/ws", "127.0.0.1:8080", "/ws"), ("ws://localhost:1/ws?token=x", "localhost:1", "/ws?token=x"),
    ("ws://[::1]:8080", "[::1]:8080", "/"), ("http://127.0.0.1?x", "127.0.0.1", "/?x"),
    ("wss://127.0.0.1", "127.0.0.1", "/"),
  ])
  func `urls`(url: String, host: String, target: String) throws {
    let endpoint = try #require(Endpoint(url))
    #expect(endpoint.host == host)
    #expect(endpoint.target == target)
    #expect((endpoint.tls != nil) == url.hasPrefix("wss"))
  }

  @Test(arguments: ["", "ws://", "wss://", "ws://example.com/", "ws://127.0.0.1:x/", "ws://127.0.0.1/a b"])
  func `what is no url`(url: String) { #expect(Endpoint(url) == nil) }

  @Test func `the ledger counts what is lost, doubled and out of order`() {
    // Two members and one further talker.
    var ledger = FanoutLedger(rooms: 1, clientsPerRoom: 3, talkersPerRoom: 1)
    for expected: UInt32 in 1...3 { #expect(ledger.send(room: 0, talker: 0) == expected) }
    #expect(ledger.client(room: 0, talker: 0) == 2)
    #expect(ledger.arrive(at: 0, from: 0, 1) == .first)
    #expect(ledger.arrive(at: 0, from: 0, 3) == .first)
    #expect(ledger.arrive(at: 0, from: 0, 3) == .duplicate)
    #expect(ledger.arrive(at: 0, from: 0, 2) == .outOfOrder)
    #expect(ledger.arrive(at: 1, from: 0, 1) == .first)
    #expect(ledger.lost(at: [0]) == 0)
    #expect(ledger.lost(at: [0, 1, 2]) == 2)
    #expect((ledger.duplicates, ledger.orderViolations) == (1, 1))
  }

  @Test(arguments: [
    (#"{"type":"ack","room":"r"}"#, MessageKind.ack), (#"{"id":"1","type":"error","payload":{}}"#, .error),
    (#"{"type":"room_info","payload":{}}"#, .roomInfo), (#"{"type":"pong","time":1}"#, .other), ("{}", .other),
  ])
  func `kinds`(text: String, kind: MessageKind) {
    #expect(unsafe MessageKind(Array(text.utf8).span.bytes) == kind)
  }

  @Test func `a process knows what it uses`() {
    let own = ProcessUsage(of: [getpid()])
    #expect(own.residentKiB > 1_000)
    #expect(own.cpuSeconds > 0)
    #expect(ProcessUsage(of: [-1]).residentKiB == 0)
  }
}
