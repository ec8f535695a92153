import Buffers
import Compression
import RoostTesting
import Testing

/// Something to compress, of any kind and size, from a seed.
func someMessage(_ random: inout SeededGenerator, atMost limit: Int = 40_000) -> [UInt8] {
  let count = Int.random(in: 0...limit >> Int.random(in: 0...10, using: &random), using: &random)
  let letters = UInt8.random(in: 1...255, using: &random)
  var message: [UInt8] = []
  while message.count < count {
    if message.count > 16, Bool.random(using: &random) {
      let start = Int.random(in: 0..<message.count, using: &random)
      message += message[start...].prefix(Int.random(in: 3...300, using: &random))
    } else {
      message += (0..<Int.random(in: 1...40, using: &random)).map { _ in .random(in: 0...letters, using: &random) }
    }
  }
  return Array(message.prefix(count))
}

extension Deflater {
  /// The compressed form, or nil when there is none.
  mutating func compressed(_ message: [UInt8], behind before: [UInt8] = []) -> [UInt8]? {
    var output = ByteBuffer()
    output.append(before)
    let isShorter = unsafe compress(message.span.bytes, to: &output)
    guard output.array(0..<before.count) == before, isShorter || output.count == before.count else { return nil }
    return isShorter ? output.array(before.count..<output.count) : nil
  }
}

extension Inflater {
  mutating func restored(_ payload: [UInt8], limit: Int = 1 << 20) throws(Failure) -> [UInt8] {
    var output = ByteBuffer()
    do { try unsafe restore(payload.span.bytes, limit: limit, to: &output) } catch {
      precondition(output.count <= limit + 1, "wrote beyond the limit")
      throw error
    }
    return output.array()
  }
}

@Suite struct DeflaterTests {
  @Test(arguments: 0..<40 as Range<UInt64>)
  func `what was compressed comes back, one message after the other`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let windowBits = UInt8.random(in: 9...15, using: &random)
    var deflater = Deflater(windowBits: windowBits, level: .random(in: 1...9, using: &random))
    var inflater = Inflater()
    for _ in 0..<20 {
      let message = someMessage(&random)
      guard let payload = deflater.compressed(message, behind: [1, 2, 3]) else { continue }
      #expect(payload.count < message.count)
      let restored = try inflater.restored(payload, limit: message.count)
      #expect(restored == message)
      #expect(RawDeflate.restore(payload, windowBits: Int(windowBits)) == message)
    }
  }

  /// A long stretch that comes again beyond every smaller window.
  private func farRepeat(_ random: inout SeededGenerator) -> [UInt8] {
    let noise = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    return noise + noise
  }

  @Test(arguments: 9...15 as ClosedRange<UInt8>)
  func `a reader with the agreed window can read it`(windowBits: UInt8) throws {
    var random = SeededGenerator(seed: UInt64(windowBits))
    let far = farRepeat(&random)
    // That the reader really has no more than its window shows with what was made for a larger one.
    #expect(RawDeflate.restore(RawDeflate.compress(far, windowBits: 15), windowBits: 9) == nil)
    var deflater = Deflater(windowBits: windowBits, level: 9)
    for distance in [200, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000] {
      let message = Array(far.prefix(distance)) + Array(far.prefix(distance)) + Array(far.prefix(distance))
      guard let payload = deflater.compressed(message) else { continue }
      #expect(RawDeflate.restore(payload, windowBits: Int(windowBits)) == message, "\(distance)")
    }
    // Repeats within the window must be found, or the window would be kept by finding nothing.
    let near = deflater.compressed(Array(far.prefix(150)) + Array(far.prefix(150)))
    #expect(try #require(near).count < 200)
  }

  @Test func `nothing is known of the message before`() {
    var deflater = Deflater(windowBits: 15, level: 6)
    let message = Array("the same words once more, which would be a few bytes with a window that is kept".utf8)
    let (first, second) = (deflater.compressed(message), deflater.compressed(message))
    #expect(first != nil && first == second)
  }

  @Test func `what does not become shorter stays as it is`() {
    var random = SeededGenerator(seed: 1)
    var deflater = Deflater(windowBits: 15, level: 6)
    for count in [0, 1, 2, 3, 10, 255, 5_000, 70_000] {
      let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let payload = deflater.compressed(noise, behind: [7])
      #expect(payload == nil, "\(count)")
    }
    for count in [0, 1, 2, 3, 10, 255, 5_000, 70_000] {
      let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      var output = ByteBuffer()
      let isWritten = unsafe deflater.compress(noise.span.bytes, mayGrow: true, to: &output)
      #expect(isWritten && RawDeflate.restore(output.array()) == noise, "\(count)")
    }
    // The state is none the worse for it.
    let payload = deflater.compressed(Array(repeating: 65, count: 100))
    #expect(payload.flatMap { RawDeflate.restore($0) }?.count == 100)
  }
}
