import Buffers
import Compression
import WebSocketCore

/// What one shard compresses and restores messages with.
///
/// Each part is made when it is first needed: a node without compression has none, and one whose clients all take the
/// largest window, as nearly all do, has one deflater a shard.
struct ShardCompression: ~Copyable {
  private let level: Int
  /// Payloads from this size on are worth it.
  private let thresholdBytes: Int
  /// One for each size of window.
  private var deflaters: InlineArray<7, Deflater?> = InlineArray { _ in nil }
  private var inflater: Inflater?
  /// Messages compressed so far, their bytes before it and after.
  private(set) var done = (messages: 0, from: 0, to: 0)
  /// Memory that is used over and over.
  private var payload = ByteBuffer()
  private var frames = ByteBuffer()
  /// What was restored, for as long as it is read.
  private var restored = ByteBuffer()
  /// Whoever needed more than this gives it back.
  private static let keptBytes = 1 << 18

  init(_ configuration: ServerConfiguration.Compression) {
    (level, thresholdBytes) = (configuration.level, configuration.thresholdBytes)
  }

  // MARK: In

  /// What a compressed message holds, at most `limit` bytes. To be given back to ``reuse(_:)``.
  mutating func restore(_ payload: RawSpan, limit: Int) throws(ProtocolViolation) -> ByteBuffer {
    var message = ByteBuffer()
    swap(&message, &restored)
    message.removeAll()
    var inflater = self.inflater.take() ?? Inflater()
    var failure: Inflater.Failure?
    do { try inflater.restore(payload, limit: limit, to: &message) } catch { failure = error }
    self.inflater = consume inflater
    guard let failure else { return message }
    reuse(&message)
    switch failure {
    case .tooBig: throw .messageTooBig
    case .invalid: throw .invalidCompression
    case .tooManyBlocks: throw .tooManyBlocks
    }
  }

  mutating func reuse(_ memory: inout ByteBuffer) {
    if memory.count <= Self.keptBytes { swap(&memory, &restored) }
  }

  // MARK: Out

  /// An echo's frame: compressed when its message was (`answersCompressed`), or reaches the threshold and becomes
  /// shorter by it.
  mutating func echo(_ opcode: Opcode, _ message: RawSpan, windowBits: UInt8, answersCompressed: Bool) -> [UInt8] {
    frames.removeAll()
    let isCompressed =
      answersCompressed || message.byteCount >= thresholdBytes
      ? compress(message, windowBits, mayGrow: answersCompressed) : false
    if isCompressed {
      Self.appendFrame(opcode, payload, to: &frames)
    } else {
      FrameWriter.append(opcode, message, to: &frames)
    }
    return takeFrames()
  }

  /// The same frame for readers with this window; nil when it is the plain one.
  mutating func compressed(_ frame: [UInt8], windowBits: UInt8) -> [UInt8]? {
    frames.removeAll()
    return unsafe append(frame.span.bytes, windowBits) ? takeFrames() : nil
  }

  /// The same batch for readers with this window; nil when it is the plain one.
  ///
  /// What many get is compressed. The frames behind it, each for one or two connections, stay as they are.
  mutating func compressed(_ batch: RoomBatch, windowBits: UInt8) -> RoomBatch? {
    frames.removeAll()
    var items = batch.items
    var isAnyShorter = false
    for index in items.indices {
      let range = Range<Int>(batch.common(index..<index + 1))
      let isShorter = unsafe append(batch.frames.span.bytes.extracting(range), windowBits)
      isAnyShorter = isAnyShorter || isShorter
      items[index].end = UInt32(frames.count)
    }
    guard isAnyShorter else { return nil }
    let rest = Int(batch.common(items.indices).upperBound)..<batch.frames.count
    let saved = UInt32(rest.lowerBound - frames.count)
    unsafe frames.append(batch.frames.span.bytes.extracting(rest))
    for index in items.indices {
      items[index].ack = items[index].ack.map { $0.moved(down: saved) }
      items[index].ownFrame = items[index].ownFrame.map { $0.moved(down: saved) }
    }
    return RoomBatch(room: batch.room, frames: takeFrames(), items: items)
  }

  /// Appends one of our own text frames to ``frames``. Returns whether it became shorter.
  private mutating func append(_ frame: RawSpan, _ windowBits: UInt8) -> Bool {
    let header = FrameWriter.headerLength(of: frame)
    let isWorthwhile = frame.byteCount - header >= thresholdBytes
    guard isWorthwhile, compress(frame.extracting(header..<frame.byteCount), windowBits) else {
      frames.append(frame)
      return false
    }
    Self.appendFrame(.text, payload, to: &frames)
    return true
  }

  private static func appendFrame(_ opcode: Opcode, _ payload: borrowing ByteBuffer, to frames: inout ByteBuffer) {
    FrameWriter.append(opcode, payload.bytes, isCompressed: true, to: &frames)
  }

  /// Compresses into ``payload``.
  private mutating func compress(_ message: RawSpan, _ windowBits: UInt8, mayGrow: Bool = false) -> Bool {
    let index = Int(windowBits - DeflateAgreement.windowBits.lowerBound)
    var deflater = deflaters[index].take() ?? Deflater(windowBits: windowBits, level: level)
    payload.removeAll()
    let isWritten = deflater.compress(message, mayGrow: mayGrow, to: &payload)
    deflaters[index] = consume deflater
    if isWritten { done = (done.messages + 1, done.from + message.byteCount, done.to + payload.count) }
    return isWritten
  }

  private mutating func takeFrames() -> [UInt8] {
    defer {
      if frames.count > Self.keptBytes { frames.release() }
      if payload.count > Self.keptBytes { payload.release() }
    }
    return frames.array()
  }
}

extension Range<UInt32> {
  fileprivate func moved(down distance: UInt32) -> Self { lowerBound - distance..<upperBound - distance }
}

extension Range<Int> {
  fileprivate init(_ range: Range<UInt32>) { self = Int(range.lowerBound)..<Int(range.upperBound) }
}
