import Buffers
import Compression
import RoostTesting
import Testing

@Suite struct InflaterTests {
  static let hello = Array("Hello".utf8)

  /// RFC 7692, sections 7.2.3.1 to 7.2.3.6, and what compressors make of it.
  static let forms: [(String, [UInt8], [UInt8])] = [
    ("one block", [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], hello),
    ("no compression", [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00], hello),
    ("a final block", [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00], hello),
    ("two blocks", [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00], hello),
    ("an empty message", [0x00], []),
    ("no bytes", [], []),
    ("a final block and no flush", RawDeflate.compress(hello, flush: .finish), hello),
    (
      "final blocks in a row",
      [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00], hello + hello
    ),
    (
      "some flushes", (0..<7).flatMap { _ in RawDeflate.compress(hello, flush: .sync) } + [0],
      Array(repeating: hello, count: 7).flatMap(\.self)
    ),
    ("an empty final block", [0x03, 0x00], []),
  ]

  @Test(arguments: forms)
  func `every form of a message is read`(name: String, payload: [UInt8], message: [UInt8]) throws {
    var inflater = Inflater()
    for _ in 0..<2 {
      let restored = try inflater.restored(payload, limit: message.count)
      #expect(restored == message)
    }
  }

  static let malformed: [(String, [UInt8])] = [
    ("a block of the reserved type", [0xFF]),
    ("noise", [0x12, 0x34, 0x56, 0x78, 0x9A]),
    ("a stored block whose lengths differ", [0x00, 0x05, 0x00, 0x00, 0x00, 0x48]),
    ("a message cut off", [0xF2, 0x48, 0xCD]),
    ("a stored block cut off", [0x00, 0xFF, 0x00, 0x00, 0xFF, 0x48]),
    ("garbage behind a final block", [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0xFF, 0xFF]),
    ("the tail that is not to be sent, and half of another", [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00, 0x00]),
    // Section 7.2.3.2: with the window of the message before, this is "Hello" again.
    ("a reach into the message before", [0xF2, 0x00, 0x11, 0x00, 0x00]),
  ]

  @Test(arguments: malformed)
  func `what no compressor makes is refused, and the next message is read`(name: String, payload: [UInt8]) throws {
    var inflater = Inflater()
    _ = try inflater.restored(Self.forms[0].1)
    #expect(throws: Inflater.Failure.invalid) { try inflater.restored(payload) }
    let next = try inflater.restored(Self.forms[0].1)
    #expect(next == Self.hello)
  }

  /// Blocks of next to nothing: each may have code tables, and to build those is what costs.
  @Test(arguments: [RawDeflate.Flush.sync, .full, .finish])
  func `a message has no more blocks than its content is worth`(flush: RawDeflate.Flush) throws {
    var inflater = Inflater()
    let block = RawDeflate.compress(Self.hello, flush: flush)
    let few = (0..<5).flatMap { _ in block }
    let many = (0..<100).flatMap { _ in block }
    let restored = try inflater.restored(few + [0])
    #expect(restored.count == 25)
    #expect(throws: Inflater.Failure.tooManyBlocks) { try inflater.restored(many + [0]) }
    // An honest message of a megabyte has some hundred.
    let long = someLongText()
    let whole = try inflater.restored(RawDeflate.compress(long, level: 1), limit: long.count)
    #expect(whole == long)
  }

  private func someLongText() -> [UInt8] {
    var random = SeededGenerator(seed: 9)
    return (0..<1 << 20).map { _ in UInt8.random(in: 97...122, using: &random) }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `noise ends in an answer`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var inflater = Inflater()
    for _ in 0..<50 {
      var payload = RawDeflate.compress(someMessage(&random, atMost: 2_000), level: .random(in: 0...9, using: &random))
      for _ in 0..<Int.random(in: 0...3, using: &random) where !payload.isEmpty {
        payload[Int.random(in: 0..<payload.count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
      }
      let restored = try? inflater.restored(payload, limit: 1_000)
      #expect((restored?.count ?? 0) <= 1_000)
    }
  }

  @Test(arguments: [1, 63, 64, 4_096, 65_535, 65_536, 65_537, 300_000])
  func `the limit is exact`(limit: Int) throws {
    var inflater = Inflater()
    let (fits, exceeds) = ([UInt8](repeating: 9, count: limit), [UInt8](repeating: 9, count: limit + 1))
    let restored = try inflater.restored(RawDeflate.compress(fits), limit: limit)
    #expect(restored == fits)
    #expect(throws: Inflater.Failure.tooBig) { try inflater.restored(RawDeflate.compress(exceeds), limit: limit) }
  }

  @Test func `a message of zeros is worth a thousand times its size, and no more is written than the limit`() throws {
    let bomb = RawDeflate.bomb(mebibytes: 1_024)
    #expect(bomb.count < 1_200_000)
    var inflater = Inflater()
    // The helper stops the process when more than a byte beyond the limit was written.
    for limit in [0, 4_096, 1 << 20] {
      #expect(throws: Inflater.Failure.tooBig) { try inflater.restored(bomb, limit: limit) }
    }
    let restored = try inflater.restored(RawDeflate.bomb(mebibytes: 1), limit: 1 << 20)
    #expect(restored.count == 1 << 20)
  }

  @Test(arguments: 9...15) func `every window is read`(windowBits: Int) throws {
    var random = SeededGenerator(seed: 3)
    var inflater = Inflater()
    let message = someMessage(&random) + someMessage(&random)
    let restored = try inflater.restored(RawDeflate.compress(message, windowBits: windowBits))
    #expect(restored == message)
  }
}
