import Buffers
import RealtimeCore
import RoostTesting
import Testing

@testable import RoostServer

@Suite("Backlog")
struct BacklogTests {
  private func frame(_ payload: [UInt8]) -> [UInt8] { [0x81, UInt8(payload.count)] + payload }

  private func rest(_ backlog: Backlog, limit: Int = .max / 2) -> [UInt8] {
    var buffer = ByteBuffer()
    backlog.gather(into: &buffer, limit: limit)
    return buffer.array()
  }

  @Test func `what was sent does not come again`() {
    let backlog = Backlog(now: 0)
    backlog.append([1, 2, 3, 4], 1..<4, messages: 1, sent: 1)
    backlog.append([5, 6], 0..<2, messages: 2)
    #expect(rest(backlog) == [3, 4, 5, 6] && backlog.byteCount == 4 && backlog.messageCount == 3)
    backlog.advance(by: 3, now: 9)
    #expect(rest(backlog) == [6] && backlog.messageCount == 2 && backlog.lastProgress == 9)
    backlog.advance(by: 1, now: 10)
    #expect(backlog.isEmpty && backlog.messageCount == 0)
  }

  @Test func `gathering stops near its limit, within replays too`() {
    let backlog = Backlog(now: 0)
    for byte in 0..<10 as Range<UInt8> { backlog.append([byte, byte], 0..<2, messages: 1) }
    #expect(rest(backlog, limit: 5).count == 5)
    let replay = past(1...100)
    let waiting = Backlog(now: 0)
    waiting.append(replay)
    let longest = replay.frames.map(\.count).max()!
    #expect((1_000...1_000 + longest).contains(rest(waiting, limit: 1_000).count))
  }

  @Test func `replays count for nothing and keep their place`() {
    let backlog = Backlog(now: 0)
    let replay = past(98...101)
    backlog.append(frame([1]), 0..<3, messages: 1)
    backlog.append(replay)
    backlog.append(frame([2]), 0..<3, messages: 1)
    #expect(backlog.byteCount == 6 && backlog.messageCount == 2 && backlog.replayCount == 4)
    #expect(rest(backlog) == frame([1]) + replay.frames.flatMap { $0 } + frame([2]))
    backlog.advance(by: 3 + replay.frames[0].count + 1, now: 0)
    #expect(backlog.byteCount == 3 && backlog.messageCount == 1 && backlog.replayCount == 3)
    #expect(rest(backlog) == Array(replay.frames[1...].flatMap { $0 }.dropFirst()) + frame([2]))
  }

  @Test(arguments: 0...12)
  func `only the frame that has begun is kept`(sent: Int) {
    let backlog = Backlog(now: 0)
    let frames = frame([1, 2]) + frame([3, 4, 5]) + frame([6])
    backlog.append([0xFF] + frames, 1..<frames.count + 1, messages: 3, sent: sent)
    backlog.append(frame([7]), 0..<3, messages: 1)
    backlog.keepStartedFrame()
    let ends = [0, 4, 9, 12]
    let end = ends.first { $0 >= sent }!
    #expect(rest(backlog) == Array(frames[sent..<end]))
    backlog.append(frame([8]), 0..<3, messages: 0)
    #expect(rest(backlog) == Array(frames[sent..<end]) + frame([8]))
  }

  @Test func `only what fits is taken, but never less than what has begun`() {
    let backlog = Backlog(now: 0)
    let frames = (1...4).flatMap { frame([$0, $0]) }
    let all = 0..<16
    // Into an empty one at least the first goes, whatever its size.
    #expect(backlog.fitting(frames, all, sent: 0, limit: (0, 0)) == (4, 1))
    #expect(backlog.fitting(frames, all, sent: 5, limit: (0, 0)) == (8, 2))
    #expect(backlog.fitting(frames, all, sent: 5, limit: (3, 7)) == (12, 3))
    #expect(backlog.fitting(frames, 4..<16, sent: 0, limit: (99, 12)) == (16, 3))
    backlog.append(frame([9]), 0..<3, messages: 1)
    #expect(backlog.fitting(frames, all, sent: 0, limit: (1, 99)) == (0, 0))
    #expect(backlog.fitting(frames, all, sent: 0, limit: (3, 99)) == (8, 2))
    #expect(backlog.fitting(frames, all, sent: 0, limit: (99, 3 + 7)) == (4, 1))
  }

  /// What a backlog should do, the simple way: a list of frames.
  private struct Model {
    struct Frame {
      var bytes: [UInt8]
      var messages: Int
      var isReplay: Bool
    }
    var frames: [Frame] = []
    var sent = 0
    var output: [UInt8] = []

    var bytes: [UInt8] { Array(frames.flatMap(\.bytes).dropFirst(sent)) }
    var counted: Int {
      let started = frames.first.map { $0.isReplay ? 0 : sent } ?? 0
      return frames.reduce(0) { $0 + ($1.isReplay ? 0 : $1.bytes.count) } - started
    }
    var replays: Int { frames.filter(\.isReplay).count }

    mutating func advance(by count: Int) {
      output += bytes.prefix(count)
      sent += count
      while let first = frames.first, sent >= first.bytes.count {
        sent -= first.bytes.count
        frames.removeFirst()
      }
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `bytes leave whole and in order, whatever the socket takes`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let backlog = Backlog(now: 0)
    var model = Model()
    var offset = 1
    for _ in 0..<200 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<3:
        let frames = (0..<Int.random(in: 1...4, using: &random)).map { _ in
          let size = Int.random(in: 0...40, using: &random)
          return frame((0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        }
        let bytes = frames.flatMap { $0 }
        backlog.append([0] + bytes, 1..<bytes.count + 1, messages: frames.count)
        model.frames += frames.map { .init(bytes: $0, messages: 1, isReplay: false) }
      case 3:
        let replay = past(offset...offset + Int.random(in: 0...20, using: &random))
        offset += replay.messages.count
        backlog.append(replay)
        model.frames += replay.frames.map { .init(bytes: $0, messages: 0, isReplay: true) }
      case 4 where Int.random(in: 0..<8, using: &random) == 0:
        backlog.keepStartedFrame()
        model.frames = model.sent > 0 ? [model.frames[0]] : []
      default:
        let gathered = rest(backlog, limit: Int.random(in: 1...6_000, using: &random))
        #expect(gathered == Array(model.bytes.prefix(gathered.count)))
        let taken = Int.random(in: 0...gathered.count, using: &random)
        backlog.advance(by: taken, now: 1)
        model.advance(by: taken)
      }
      #expect(backlog.isEmpty == model.frames.isEmpty)
      #expect(backlog.byteCount == model.counted && backlog.replayCount == model.replays)
    }
    #expect(rest(backlog) == model.bytes)
    backlog.advance(by: model.bytes.count, now: 2)
    #expect(backlog.isEmpty && backlog.byteCount == 0 && backlog.messageCount == 0 && backlog.replayCount == 0)
  }
}
