import Buffers
import RoostTesting
import Testing

@Suite struct ByteBufferTests {
  @Test func `an empty buffer has an empty span and takes no memory`() {
    var buffer = ByteBuffer()
    #expect(buffer.isEmpty && buffer.bytes.byteCount == 0 && buffer.mutableBytes.byteCount == 0)
  }

  @Test(arguments: [0, 7, 10, 99, 100, 12_345, Int.max, -1, -12_345, Int.min])
  func `numbers are written as decimals`(number: Int) {
    var buffer = ByteBuffer()
    buffer.append(decimal: number)
    #expect(buffer.array() == Array("\(number)".utf8))
  }

  /// Against an array that does the same, with every operation drawn at random.
  @Test(arguments: 0..<50 as Range<UInt64>)
  func `behaves like an array`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var buffer = ByteBuffer()
    var model: [UInt8] = []
    for _ in 0..<300 {
      switch Int.random(in: 0..<6, using: &generator) {
      case 0:
        let byte = UInt8.random(in: 0...255, using: &generator)
        buffer.append(byte)
        model.append(byte)
      case 1:
        let some = (0..<Int.random(in: 0...300, using: &generator)).map { UInt8(truncatingIfNeeded: $0) }
        buffer.append(some)
        model += some
      case 2:
        let count = Int.random(in: 0...model.count, using: &generator)
        buffer.removeFirst(count)
        model.removeFirst(count)
      case 3:
        let count = Int.random(in: 0...model.count, using: &generator)
        buffer.truncate(to: count)
        model.removeLast(model.count - count)
      case 4:
        buffer.append("text" as StaticString)
        buffer.append("größe" as String)
        model += Array("textgröße".utf8)
      default:
        if !model.isEmpty {
          let index = Int.random(in: 0..<model.count, using: &generator)
          buffer.replaceByte(at: index, with: 7)
          model[index] = 7
        }
      }
      #expect(buffer.count == model.count)
    }
    #expect(buffer.array() == model)
  }
}
