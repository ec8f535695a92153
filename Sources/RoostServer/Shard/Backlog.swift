import Buffers

/// Frames that a full socket did not take yet, in order. Only slow clients have one.
///
/// Frames that many clients get are kept by reference: a thousand slow members of a room share one copy.
final class Backlog {
  private struct Chunk {
    var bytes: [UInt8]
    /// Starts and ends between frames.
    var range: Range<Int>
    var messages: Int
  }

  private var chunks: ContiguousArray<Chunk> = []
  /// Chunks before this one are sent.
  private var first = 0
  /// Bytes of the first chunk that are sent.
  private var sent = 0
  private(set) var byteCount = 0
  private(set) var messageCount = 0
  /// When the socket last took something, in milliseconds of the loop's clock.
  var lastProgress: Int64

  init(now: Int64) { lastProgress = now }

  var isEmpty: Bool { byteCount == 0 }

  /// Adds the frames in `range` of `bytes`, of which the socket took the first `sent` bytes already (only possible
  /// while the backlog is empty).
  func append(_ bytes: [UInt8], _ range: Range<Int>, messages: UInt32, sent alreadySent: Int = 0) {
    precondition(alreadySent == 0 || isEmpty)
    chunks.append(Chunk(bytes: bytes, range: range, messages: Int(messages)))
    if alreadySent > 0 { sent = alreadySent }
    byteCount += range.count - alreadySent
    messageCount += Int(messages)
  }

  /// Appends the next bytes to send to `buffer`, about `limit` at most.
  func gather(into buffer: inout ByteBuffer, limit: Int) {
    var skipped = sent
    for chunk in chunks[first...] {
      let range =
        chunk.range.lowerBound + skipped..<min(chunk.range.upperBound, chunk.range.lowerBound + skipped + limit)
      unsafe buffer.append(chunk.bytes.span.bytes.extracting(range))
      skipped = 0
      if buffer.count >= limit { return }
    }
  }

  /// The socket took the next `count` bytes.
  func advance(by count: Int, now: Int64) {
    lastProgress = now
    byteCount -= count
    var rest = count
    while rest > 0 {
      let left = chunks[first].range.count - sent
      guard rest >= left else {
        sent += rest
        return
      }
      rest -= left
      messageCount -= chunks[first].messages
      chunks[first] = Chunk(bytes: [], range: 0..<0, messages: 0)
      (first, sent) = (first + 1, 0)
    }
    guard isEmpty || first > 64 else { return }
    chunks.removeFirst(first)
    first = 0
  }

  /// Drops everything but the rest of a frame that is partly sent: after that a close frame may follow.
  func keepStartedFrame() {
    guard sent > 0 else { return drop() }
    var chunk = chunks[first]
    let sentTo = chunk.range.lowerBound + sent
    var end = chunk.range.lowerBound
    while end < sentTo { end += Self.frameSize(chunk.bytes, at: end) }
    guard end > sentTo else { return drop() }
    chunk.range = chunk.range.lowerBound..<min(end, chunk.range.upperBound)
    chunks = [chunk]
    (first, byteCount, messageCount) = (0, chunk.range.upperBound - sentTo, chunk.messages)
  }

  private func drop() {
    chunks = []
    (first, sent, byteCount, messageCount) = (0, 0, 0, 0)
  }

  /// The size of one of our own frames (RFC 6455 section 5.2, never masked).
  private static func frameSize(_ bytes: [UInt8], at start: Int) -> Int {
    switch bytes[start + 1] {
    case 126: 4 + (Int(bytes[start + 2]) << 8 | Int(bytes[start + 3]))
    case 127: 10 + (2..<10).reduce(0) { $0 << 8 | Int(bytes[start + $1]) }
    default: 2 + Int(bytes[start + 1])
    }
  }
}
