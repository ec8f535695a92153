import Buffers
import RealtimeCore
import Testing

@testable import RoostServer

@Suite("Outbox")
struct OutboxTests {
  /// What `slot` would be sent.
  private func sent(_ outbox: inout Outbox, _ slot: UInt32) -> (bytes: [UInt8], messages: UInt32)? {
    guard let head = outbox.take(slot) else { return nil }
    outbox.join(from: head)
    var messages: UInt32 = 0
    var index: UInt32? = head
    while let current = index {
      messages += outbox.piece(current).messages
      index = outbox.next(outbox.piece(current))
    }
    return (outbox.scratch.array(), messages)
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
    let isShared = outbox.take(whole, from: 0)
    #expect(isShared && outbox.piece(whole).end == 4 && outbox.piece(whole).messages == 2)
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
    let piece = outbox.piece(outbox.take(0)!)
    #expect(piece.start == 0 && piece.end == 3)
    #expect(outbox.next(piece) == nil)
  }

  @Test func `replays keep their place and are never joined to others`() {
    var outbox = Outbox()
    outbox.open(0)
    outbox.reply(to: 0) { $0.append(1) }
    outbox.append(past(1...2), to: 0)
    outbox.append(past(3...3), to: 0)
    outbox.reply(to: 0) { $0.append(2) }
    var sources: [UInt32] = []
    var index = outbox.take(0)
    #expect(outbox.replay(from: index) != nil)
    while let current = index {
      let piece = outbox.piece(current)
      sources.append(piece.source == Outbox.replaySource ? piece.start : .max)
      index = outbox.next(piece)
    }
    #expect(sources == [.max, 0, 1, .max])
    let counts = outbox.replays.map(\.messages.count)
    #expect(counts == [2, 1])
    outbox.endTurn()
    let isEmpty = outbox.replays.isEmpty
    #expect(isEmpty)
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
