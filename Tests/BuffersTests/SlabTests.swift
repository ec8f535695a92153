import Buffers
import RoostTesting
import Testing

@Suite struct SlabTests {
  struct Counted: ~Copyable {
    final class Tally { var alive = 0 }
    let tally: Tally
    var value: Int
    init(_ value: Int, _ tally: Tally) {
      (self.value, self.tally) = (value, tally)
      tally.alive += 1
    }
    deinit { tally.alive -= 1 }
  }

  /// Inserts and removes at random beside a dictionary, and looks at keys that are long dead.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func `keeps what a dictionary keeps`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let tally = Counted.Tally()
    do {
      var slab = Slab<Counted>()
      var model: [Slab<Counted>.Key: Int] = [:]
      var dead: [Slab<Counted>.Key] = []
      for step in 0..<2_000 {
        if model.isEmpty || Bool.random(using: &generator) {
          let key = slab.insert(Counted(step, tally))
          #expect(model.updateValue(step, forKey: key) == nil)
        } else {
          let key = model.keys.sorted { $0.slot < $1.slot }.randomElement(using: &generator)!
          let element = slab.remove(key.slot)
          #expect(element.value == model.removeValue(forKey: key))
          dead.append(key)
        }
        if let key = dead.randomElement(using: &generator) {
          let isAlive = slab.contains(key)
          #expect(!isAlive)
        }
      }
      for (key, value) in model {
        let isAlive = slab.contains(key)
        let held = slab[key.slot].value
        #expect(isAlive && held == value)
      }
      let count = slab.count
      #expect(count == model.count && tally.alive == model.count)
    }
    #expect(tally.alive == 0)
  }
}
