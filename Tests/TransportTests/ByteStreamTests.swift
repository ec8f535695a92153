import EventLoops
import Glibc
import RoostTesting
import Testing
import Transport

/// What holds of every stream, whatever it goes through.
@Suite("Byte streams", .timeLimit(.minutes(30)))
struct ByteStreamTests {
  @Test(arguments: Way.allCases)
  func `bytes arrive, the end after them, and the other direction goes on`(way: Way) throws {
    var pair = try StreamPair(way)
    let shaken = try pair.shakeHands()
    #expect(shaken == (.done(0), .done(0)))
    let sent = pair.client.send([1, 2, 3])
    #expect(sent == .done(3))
    pair.client.shutdownSending()
    var heard: [UInt8] = []
    var last = IOResult.wouldBlock
    while last != .endOfStream {
      if last == .wouldBlock { try pair.wait() }
      let next = pair.server.next()
      (heard, last) = (heard + next.bytes, next.result)
    }
    #expect(heard == [1, 2, 3])
    let again = pair.server.next()
    #expect(again.result == .endOfStream)
    let answered = pair.server.send([4, 5])
    #expect(answered == .done(2))
    pair.server.shutdownSending()
    (heard, last) = ([], .wouldBlock)
    while last != .endOfStream {
      if last == .wouldBlock { try pair.wait() }
      let next = pair.client.next()
      (heard, last) = (heard + next.bytes, next.result)
    }
    #expect(heard == [4, 5])
  }

  /// Full sockets on both sides all the time, and pieces of every size.
  @Test(arguments: Way.allCases, [UInt64(1), 2, 3])
  func `large transfers go both ways at once, whole and in order`(way: Way, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var pair = try StreamPair(way, buffers: 4_096)
    let total = 3_000_000
    let bytes = (0..<total).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 9) }
    var sent = (client: 0, server: 0)
    var heard = (client: [UInt8](), server: [UInt8]())
    while heard.client.count < total || heard.server.count < total {
      var stuck = true
      let pieces = [1, 100, 5_000, 70_000, 300_000]
      let piece = (client: pieces.randomElement(using: &random) ?? 1, server: pieces.randomElement(using: &random) ?? 1)
      if sent.client < total, case .done(let count) = pair.client.send(bytes[sent.client...].prefix(piece.client)) {
        (sent.client, stuck) = (sent.client + count, false)
      }
      if sent.server < total, case .done(let count) = pair.server.send(bytes[sent.server...].prefix(piece.server)) {
        (sent.server, stuck) = (sent.server + count, false)
      }
      let room = Int.random(in: 1...100_000, using: &random)
      let next = (client: pair.client.next(room), server: pair.server.next(room))
      if !next.client.bytes.isEmpty || !next.server.bytes.isEmpty { stuck = false }
      heard.client += next.client.bytes
      heard.server += next.server.bytes
      if stuck { try pair.wait(sending: (sent.client < total, sent.server < total)) }
    }
    #expect(heard.client == bytes && heard.server == bytes)
  }

  /// A queue towards a slow reader may be dropped: all that must come first is a byte that has left already.
  @Test(arguments: Way.allCases)
  func `what was not taken may be replaced, but for a byte that has begun`(way: Way) throws {
    var random = SeededGenerator(seed: 5)
    var pair = try StreamPair(way, buffers: 4_096)
    _ = try pair.shakeHands()
    var expected: [UInt8] = []
    var heard: [UInt8] = []
    var held: [UInt8] = []
    var timesHeld = 0
    for round in 0..<2_000 {
      // Something new each time, whatever became of the last.
      let fresh = (0..<Int.random(in: 1...40_000, using: &random)).map { UInt8(truncatingIfNeeded: round &+ $0) }
      let offered = held + fresh
      var taken = 0
      if case .done(let count) = pair.server.send(offered[...]) { taken = count }
      expected += offered[..<taken]
      let hasBegun = pair.server.hasBegunNext
      held = hasBegun ? Array(offered[taken...].prefix(1)) : []
      timesHeld += hasBegun ? 1 : 0
      if round % 3 == 0 { heard += pair.client.next(30_000).bytes }
    }
    while heard.count < expected.count + held.count {
      if !held.isEmpty, pair.server.send(held[...]) == .done(1) { (expected, held) = (expected + held, []) }
      let next = pair.client.next().bytes
      heard += next
      if next.isEmpty { try pair.wait(sending: (false, !held.isEmpty)) }
    }
    #expect(heard == expected)
    #expect(way == .plain || timesHeld > 0, "the case was met")
  }

  @Test(arguments: Way.allCases)
  func `what was received already needs no event to be read`(way: Way) throws {
    var pair = try StreamPair(way)
    _ = try pair.shakeHands()
    let bytes = [UInt8](repeating: 9, count: 10_000)
    let sent = pair.server.send(bytes[...])
    #expect(sent == .done(bytes.count))
    pair.server.shutdownSending()
    var count = 0
    var last = IOResult.wouldBlock
    while last != .endOfStream {
      // In the clear the kernel holds the rest, and says so.
      if last == .wouldBlock || !pair.client.holdsMore { try pair.wait() }
      let next = pair.client.next(100)
      (count, last) = (count + next.bytes.count, next.result)
    }
    #expect(count == bytes.count)
  }

  @Test(arguments: Way.allCases)
  func `a reset is a failure, for the reader and for the writer, and no signal`(way: Way) throws {
    var pair = try StreamPair(way)
    _ = try pair.shakeHands()
    pair.client.resetOnClose()
    // A TCP disconnect resets the connection without taking the socket from its owner.
    var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    unsafe connect(pair.client.descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    try pair.wait()
    let next = pair.server.next()
    #expect(next.result == .failed(ECONNRESET))
    let sent = pair.server.send([1, 2, 3])
    guard case .failed = sent else {
      Issue.record("sent into nothing: \(sent)")
      return
    }
  }
}
