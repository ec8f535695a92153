import RoostTesting
import Testing

@testable import RealtimeCore

@Suite struct RoomRingTests {
  private struct Entry: RingEntry, Equatable {
    let offset: Int
    static var blank: Entry { Entry(offset: 0) }
    var cost: Int { offset == 0 ? 0 : 10 }
  }

  /// Random steps against a plain array.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `a ring is the end of the run`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var (ring, model, next) = (RoomRing<Entry>(), [Int](), 100)
    var handedOut: [(slice: ArraySlice<Entry>, offsets: [Int])] = []
    let limit = Int.random(in: 1...80, using: &random)
    for _ in 0..<600 {
      switch Int.random(in: 0..<20, using: &random) {
      case 0:
        let first = (model.first ?? next) - Int.random(in: 1...30, using: &random)
        let older = Array(first..<(model.first ?? next))
        ring.prepend(older.map(Entry.init), from: first, upTo: next, limit: limit)
        model = Array((older + model).suffix(max(limit, model.count)))
      case 1 where !ring.isEmpty:
        ring.removeFirst()
        model.removeFirst()
      case 2 where !ring.isEmpty:
        let from = Int.random(in: model[0]...next, using: &random)
        handedOut.append((ring.entries(from: from), Array(from..<next)))
      default:
        ring.append(Entry(offset: next), at: next, limit: limit)
        model = (model + [next]).suffix(limit)
        next += 1
      }
      #expect(ring.count == model.count && ring.cost == 10 * model.count)
      #expect(ring.isEmpty || ring.firstOffset == model[0] && ring.endOffset == next && ring.first?.offset == model[0])
      if !ring.isEmpty { #expect(ring.entries(from: model[0]).map(\.offset) == model) }
    }
    for (slice, offsets) in handedOut { #expect(slice.map(\.offset) == offsets, "what was handed out never changes") }
  }

  @Test func `what does not reach up to the ring is left out`() {
    var ring = RoomRing<Entry>()
    ring.prepend([1, 2].map(Entry.init), from: 1, upTo: 4, limit: 9)
    #expect(ring.isEmpty)
    ring.append(Entry(offset: 7), at: 7, limit: 9)
    ring.prepend([4, 5].map(Entry.init), from: 4, upTo: 8, limit: 9)
    #expect(ring.count == 1)
    ring.append(Entry(offset: 9), at: 9, limit: 9)
    #expect(ring.firstOffset == 9, "a hole begins it anew")
    ring.append(Entry(offset: 10), at: 10, limit: 0)
    #expect(ring.count == 1)
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `uses are kept in their order`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var (order, model) = (UseOrder(), [UInt32]())
    for _ in 0..<500 {
      let number = UInt32.random(in: 0..<12, using: &random)
      model.removeAll { $0 == number }
      if Bool.random(using: &random) {
        order.use(number)
        model.append(number)
      } else {
        order.remove(number)
      }
      #expect(order.oldest == model.first)
    }
    while let oldest = order.oldest {
      #expect(oldest == model.removeFirst())
      order.remove(oldest)
    }
    #expect(model.isEmpty)
  }
}
