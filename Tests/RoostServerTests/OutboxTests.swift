import Buffers
import Testing

@testable import RoostServer

@Suite("Outbox")
struct OutboxTests {
  /// What `slot` would be sent.
  private func sent(_ outbox: inout Outbox, _ slot: UInt32) -> (bytes: [UInt8], messages: UInt32)? {
    guard let (single, messages) = outbox.take(slot) else { return nil }
    guard let single else { return (outbox.scratch.array(), messages) }
    let range = Int(single.start)..<Int(single.end)
    let isReply = single.source == Outbox.arenaSource
    return (isReply ? outbox.arena.array(range) : Array(outbox.batches[Int(single.source)][range]), messages)
  }

  @Test func `pieces of all kinds leave in their order`() {
    var outbox = Outbox()
    for slot in 0..<3 as Range<UInt32> { outbox.open(slot) }
    let batch = outbox.addBatch([1, 2, 3, 4])
    let whole = outbox.addSharedPiece(batch, 0..<4, messages: 2)
    outbox.appendShared(whole, to: 0)
    outbox.appendShared(whole, to: 1)
    outbox.reply(to: 1) { $0.append(9) }
    outbox.reply(to: 2) { $0.append(8) }
    outbox.append(batch, 0..<2, messages: 1, to: 2)
    outbox.append(batch, 2..<4, messages: 1, to: 2)
    outbox.appendShared(whole, to: 2)
    let touched = Array(outbox.touched)
    #expect(touched == [0, 1, 2])
    let shared = outbox.take(0)
    #expect(shared?.single?.end == 4 && shared?.messages == 2)
    let mixed = sent(&outbox, 1)
    #expect(mixed?.bytes == [1, 2, 3, 4, 9] && mixed?.messages == 2)
    let all = sent(&outbox, 2)
    #expect(all?.bytes == [8, 1, 2, 3, 4, 1, 2, 3, 4] && all?.messages == 4)
    let nothing = outbox.take(2)
    #expect(nothing == nil)
  }

  @Test func `replies next to each other are one piece`() {
    var outbox = Outbox()
    outbox.open(0)
    outbox.reply(to: 0) { $0.append([1, 2]) }
    outbox.reply(to: 0) { $0.append(3) }
    let taken = outbox.take(0)
    #expect(taken?.single?.start == 0 && taken?.single?.end == 3)
  }

  @Test func `a place that changes hands forgets what it was to get`() {
    var outbox = Outbox()
    outbox.open(0)
    outbox.reply(to: 0) { $0.append(1) }
    outbox.drop(0)
    outbox.open(0)
    let nothing = outbox.take(0)
    #expect(nothing == nil)
    outbox.endTurn()
    let isEmpty = outbox.isEmpty && outbox.arena.isEmpty
    #expect(isEmpty)
  }
}

@Suite("Backlog")
struct BacklogTests {
  private func frame(_ payload: [UInt8]) -> [UInt8] { [0x81, UInt8(payload.count)] + payload }

  private func rest(_ backlog: Backlog) -> [UInt8] {
    var buffer = ByteBuffer()
    backlog.gather(into: &buffer, limit: .max / 2)
    return buffer.array()
  }

  @Test func `what was sent does not come again`() {
    let backlog = Backlog(now: 0)
    backlog.append([1, 2, 3, 4], 1..<4, messages: 1, sent: 1)
    backlog.append([5, 6], 0..<2, messages: 2)
    #expect(rest(backlog) == [3, 4, 5, 6] && backlog.byteCount == 4 && backlog.messageCount == 3)
    backlog.advance(by: 3, now: 9)
    #expect(rest(backlog) == [6] && backlog.messageCount == 2 && backlog.lastProgress == 9)
    backlog.advance(by: 1, now: 10)
    #expect(backlog.isEmpty && backlog.messageCount == 0)
  }

  @Test func `gathering stops near its limit`() {
    let backlog = Backlog(now: 0)
    for byte in 0..<10 as Range<UInt8> { backlog.append([byte, byte], 0..<2, messages: 1) }
    var buffer = ByteBuffer()
    backlog.gather(into: &buffer, limit: 5)
    #expect(buffer.count == 6)
  }

  @Test(arguments: 0...12)
  func `only the frame that has begun is kept`(sent: Int) {
    let backlog = Backlog(now: 0)
    let frames = frame([1, 2]) + frame([3, 4, 5]) + frame([6])
    backlog.append([0xFF] + frames, 1..<frames.count + 1, messages: 3, sent: sent)
    backlog.append(frame([7]), 0..<3, messages: 1)
    backlog.keepStartedFrame()
    let ends = [0, 4, 9, 12]
    let end = ends.first { $0 >= sent }!
    #expect(rest(backlog) == Array(frames[sent..<end]))
    backlog.append(frame([8]), 0..<3, messages: 0)
    #expect(rest(backlog) == Array(frames[sent..<end]) + frame([8]))
  }
}

@Suite("Addresses")
struct AddressTableTests {
  @Test func `connections of an address are counted until they go`() {
    var table = AddressTable(limit: 2, perSecond: 1_000)
    let first = table.add("a", nanoseconds: 0)
    #expect(!first.isOver)
    #expect(!table.add("a", nanoseconds: 0).isOver)
    #expect(table.add("a", nanoseconds: 0).isOver)
    #expect(!table.add("b", nanoseconds: 0).isOver)
    for _ in 0..<2 { table.remove(first.entry) }
    #expect(!table.add("a", nanoseconds: 0).isOver)
  }

  @Test func `the rate of an address outlives its connections`() {
    var table = AddressTable(limit: 100, perSecond: 1)
    for _ in 0..<4 { table.remove(table.add("a", nanoseconds: 0).entry) }
    #expect(table.add("a", nanoseconds: 0).isOver)
    #expect(!table.add("a", nanoseconds: 10_000_000_000).isOver)
  }

  @Test func `a flood of addresses is forgotten`() {
    var table = AddressTable(limit: 100, perSecond: 1)
    for number in 0..<50_000 { table.remove(table.add("\(number)", nanoseconds: Int64(number) * 1_000).entry) }
    #expect(table.count <= 10_001)
  }
}
