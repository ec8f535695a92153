import Buffers
import RoostTesting
import Testing

@Suite struct MaskingTests {
  /// The definition in RFC 6455, section 5.3, word for word.
  static func naive(_ bytes: [UInt8], _ key: [UInt8], _ range: Range<Int>) -> [UInt8] {
    var bytes = bytes
    for (step, index) in range.enumerated() { bytes[index] ^= key[step % 4] }
    return bytes
  }

  static func number(_ key: [UInt8]) -> UInt32 { unsafe key.span.bytes.littleEndian32(at: 0) }

  @Test func `every offset and length gives what the definition gives`() {
    let bytes = (0..<80).map { UInt8($0) &* 7 }
    let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    for lower in 0...16 {
      for upper in lower...bytes.count {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        var span = buffer.mutableBytes
        applyMask(Self.number(key), to: &span, in: lower..<upper)
        #expect(buffer.array() == Self.naive(bytes, key, lower..<upper))
      }
    }
  }

  @Test func `an empty span is left alone`() {
    var buffer = ByteBuffer()
    var span = buffer.mutableBytes
    #expect(applyMask(0x0102_0304, to: &span, in: 0..<0) == 0x0102_0304)
  }

  /// However a payload is cut, masking its pieces one after the other is masking the whole.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func `pieces go on where the last one stopped`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let bytes = (0..<Int.random(in: 0...700, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator)
    }
    let key = (0..<4).map { _ in UInt8.random(in: 0...255, using: &generator) }
    var buffer = ByteBuffer()
    buffer.append(bytes)
    var turned = Self.number(key)
    var place = 0
    var span = buffer.mutableBytes
    while place < bytes.count {
      let end = min(bytes.count, place + Int.random(in: 0...40, using: &generator))
      turned = applyMask(turned, to: &span, in: place..<end)
      place = end
    }
    #expect(buffer.array() == Self.naive(bytes, key, 0..<bytes.count))
  }
}
