import RealtimeCore
import RoostTesting
import Testing

@testable import RoostServer

@Suite("Batches, compressed")
struct ShardCompressionTests {
  /// The frames in `range` of a batch, restored.
  private func messages(_ batch: RoomBatch, _ range: Range<UInt32>?) -> [String]? {
    guard let range else { return nil }
    var rest = batch.frames[Int(range.lowerBound)..<Int(range.upperBound)]
    var messages: [String] = []
    while let first = rest.popFirst(), let length = rest.popFirst() {
      let count = length < 126 ? Int(length) : Int(rest.popFirst()!) << 8 | Int(rest.popFirst()!)
      let frame = TestClient.Frame(opcode: 1, payload: Array(rest.prefix(count)), isCompressed: first & 0x40 != 0)
      messages.append(frame.text(windowBits: 10) ?? "unreadable")
      rest = rest.dropFirst(count)
    }
    return messages
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `hold the same for everybody`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var builder = BatchBuilder(shards: 1)
    var text: [UInt8] = []
    func write(_ kind: String) -> TextRange {
      let start = text.count
      let count = Int.random(in: 0...120, using: &random)
      text += Array((kind + (Bool.random(using: &random) ? words(count, seed: seed) : noise(count, seed: seed))).utf8)
      return start..<text.count
    }
    for number in 0..<Int.random(in: 1...8, using: &random) {
      var item = RoomItem(text: write("item \(number) "))
      if Bool.random(using: &random) { item.ack = write("ack \(number) ") }
      if Bool.random(using: &random) { item.ownText = write("own \(number) ") }
      builder.add(item, to: 0)
    }
    let next = unsafe builder.next(text.span.bytes)
    let batch = try #require(next).0
    var settings = ServerConfiguration.Compression()
    settings.thresholdBytes = 200
    var compression = ShardCompression(settings)
    let compressed = compression.compressed(batch, windowBits: 10)
    let isLong = batch.items.indices.contains { batch.common($0..<$0 + 1).count > 400 }
    #expect(compressed != nil || !isLong)
    guard let compressed else { return }
    #expect(compressed.frames.count < batch.frames.count && compressed.room == batch.room)
    let all = batch.items.indices
    #expect(messages(compressed, compressed.common(all)) == messages(batch, batch.common(all)))
    for index in all {
      let one = index..<index + 1
      #expect(messages(compressed, compressed.common(one)) == messages(batch, batch.common(one)))
      #expect(messages(compressed, compressed.items[index].ack) == messages(batch, batch.items[index].ack))
      #expect(messages(compressed, compressed.items[index].ownFrame) == messages(batch, batch.items[index].ownFrame))
    }
  }

  @Test func `a batch of short messages is everybody's`() throws {
    var compression = ShardCompression(ServerConfiguration.Compression())
    var builder = BatchBuilder(shards: 1)
    let text = Array(words(30, seed: 1).utf8.prefix(255))
    builder.add(RoomItem(text: 0..<text.count), to: 0)
    let next = unsafe builder.next(text.span.bytes)
    let batch = try #require(next).0
    let compressed = compression.compressed(batch, windowBits: 15)
    #expect(compressed == nil)
    let frame = compression.compressed(batch.frames, windowBits: 15)
    #expect(frame == nil)
  }
}
