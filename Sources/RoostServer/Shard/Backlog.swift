import Buffers
import RealtimeCore
import WebSocketCore

/// What a full socket did not take yet, in order. Only slow clients have one, and those with a past to catch up on.
///
/// Nothing is copied that others have too: frames of a room's batch and the messages of a replay are kept by
/// reference, and a replay is framed only as far as the socket may take it.
///
///     pieces   │ frames (first ones sent) │ replay: messages 17..<300 │ frames │
///                     └ sent                                     live messages: counted by the queue's limit
final class Backlog {
  private enum Piece {
    /// Whole frames, and how many room messages they are.
    case frames([UInt8], Range<Int>, messages: Int)
    /// These messages of a replay. They count for nothing: the hub paces replays.
    case replay(Replay, Range<Int>)
  }

  private var pieces: ContiguousArray<Piece> = []
  /// Pieces before this one are sent.
  private var first = 0
  /// Bytes that are sent of the first piece's frames, or of the first frame of its replay.
  private var sent = 0
  /// What the queue's limit counts.
  private(set) var byteCount = 0
  private(set) var messageCount = 0
  /// Messages of replays that are not out yet.
  private(set) var replayCount = 0
  /// When the socket last took something, in milliseconds of the loop's clock.
  private(set) var lastProgress: Int64

  init(now: Int64) { lastProgress = now }

  var isEmpty: Bool { first == pieces.count }

  // MARK: In

  /// Adds the frames in `range` of `bytes`, of which the socket took the first `sent` bytes already (only possible
  /// while the backlog is empty).
  func append(_ bytes: [UInt8], _ range: Range<Int>, messages: Int, sent alreadySent: Int = 0) {
    precondition(alreadySent == 0 || isEmpty)
    guard range.count > alreadySent else { return }
    pieces.append(.frames(bytes, range, messages: messages))
    if alreadySent > 0 { sent = alreadySent }
    byteCount += range.count - alreadySent
    messageCount += messages
  }

  func append(_ replay: Replay) {
    guard !replay.messages.isEmpty else { return }
    pieces.append(.replay(replay, replay.messages.indices))
    replayCount += replay.messages.count
  }

  /// How many of the frames in `range` fit before a limit is passed, and where they end. A frame that has begun
  /// (`sent`) always does, and so does the first of an empty backlog: no frame is too big for ever.
  func fitting(
    _ bytes: [UInt8], _ range: Range<Int>, sent: Int, limit: (messages: Int, bytes: Int)
  ) -> (end: Int, messages: Int) {
    var (end, messages) = (range.lowerBound, 0)
    while end < range.upperBound {
      let next = end + Self.frameSize(bytes, at: end)
      let fits =
        messageCount + messages < limit.messages && byteCount + next - range.lowerBound - sent <= limit.bytes
      guard fits || end < range.lowerBound + sent || (isEmpty && end == range.lowerBound) else { break }
      (end, messages) = (next, messages + 1)
    }
    return (end, messages)
  }

  // MARK: Out

  /// Writes the next bytes to send, about `limit` at most, into `buffer`, which is empty.
  func gather(into buffer: inout ByteBuffer, limit: Int) {
    precondition(buffer.isEmpty)
    var skipped = sent
    for piece in pieces[first...] {
      let wanted = limit - buffer.count
      guard wanted > 0 else { return }
      switch piece {
      case .frames(let bytes, let range, _):
        let start = range.lowerBound + skipped
        unsafe buffer.append(bytes.span.bytes.extracting(start..<min(range.upperBound, start + wanted)))
      case .replay(let replay, let range):
        Self.gather(replay.messages[range], of: replay, skipping: skipped, into: &buffer, limit: limit)
      }
      skipped = 0
    }
  }

  private static func gather(
    _ messages: ArraySlice<PastMessage>, of replay: Replay, skipping skipped: Int, into buffer: inout ByteBuffer,
    limit: Int
  ) {
    var skipped = skipped
    for message in messages {
      guard buffer.count < limit else { return }
      let start = buffer.count
      FrameWriter.appendHeader(.text, payloadBytes: replay.byteCount(of: message), to: &buffer)
      replay.append(message, to: &buffer)
      precondition(buffer.count - start == frameSize(replay, message), "a message is not as long as it said")
      // Only the very first frame can have begun.
      if skipped > 0 { buffer.removeFirst(skipped) }
      skipped = 0
    }
  }

  /// The socket took the next `count` bytes.
  func advance(by count: Int, now: Int64) {
    lastProgress = now
    var rest = count
    while rest > 0 {
      switch pieces[first] {
      case .frames(_, let range, let messages):
        let taken = min(rest, range.count - sent)
        byteCount -= taken
        (rest, sent) = (rest - taken, sent + taken)
        guard sent == range.count else { break }
        messageCount -= messages
        dropFirst()
      case .replay(let replay, let range):
        let size = Self.frameSize(replay, replay.messages[range.lowerBound])
        let taken = min(rest, size - sent)
        (rest, sent) = (rest - taken, sent + taken)
        guard sent == size else { break }
        replayCount -= 1
        if range.count == 1 {
          dropFirst()
        } else {
          pieces[first] = .replay(replay, range.dropFirst())
          sent = 0
        }
      }
    }
    guard isEmpty || first > 64 else { return }
    pieces.removeFirst(first)
    first = 0
  }

  private func dropFirst() {
    // What it refers to is let go now, its place later.
    pieces[first] = .frames([], 0..<0, messages: 0)
    (first, sent) = (first + 1, 0)
  }

  // MARK: End

  /// Drops everything but the rest of a frame that is partly sent: after that a close frame may follow.
  ///
  /// - Parameter hasBegun: the next byte has left already, though it was not reported yet.
  func keepStartedFrame(hasBegun: Bool = false) {
    guard sent > 0 || hasBegun, !isEmpty else { return drop() }
    let sent = self.sent
    let started: Piece
    switch pieces[first] {
    case .frames(let bytes, let range, let messages):
      let sentTo = range.lowerBound + sent
      var (start, end) = (range.lowerBound, range.lowerBound)
      let begunTo = sentTo + (hasBegun ? 1 : 0)
      while end < begunTo { (start, end) = (end, end + Self.frameSize(bytes, at: end)) }
      guard end > sentTo else { return drop() }
      drop()
      started = .frames(bytes, start..<end, messages: min(messages, 1))
      self.sent = sentTo - start
      (byteCount, messageCount) = (end - sentTo, min(messages, 1))
    case .replay(let replay, let range):
      drop()
      started = .replay(replay, range.prefix(1))
      (self.sent, replayCount) = (sent, 1)
    }
    pieces = [started]
  }

  private func drop() {
    pieces = []
    (first, sent, byteCount, messageCount, replayCount) = (0, 0, 0, 0, 0)
  }

  private static func frameSize(_ replay: Replay, _ message: PastMessage) -> Int {
    let payload = replay.byteCount(of: message)
    return FrameWriter.headerLength(forPayload: payload) + payload
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
