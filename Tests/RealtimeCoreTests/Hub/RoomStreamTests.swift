import RealtimeCore
import RoostTesting
import Testing

@Suite struct RoomStreamTests {
  private typealias Stream = RoomStream<Int>

  private func place(_ offset: Int, _ epoch: String = "e") -> Position { Position(epoch: epoch, offset: offset) }

  /// Delivers what arrives and what that sets free.
  private func arrive(_ stream: inout Stream, _ offset: Int, _ epoch: String = "e", now: Int64 = 0) -> [Int] {
    var delivered: [Int] = []
    if case .deliver(let message) = stream.arrive(offset, at: place(offset, epoch), now: now) {
      delivered.append(message)
    }
    while let message = stream.next() { delivered.append(message) }
    return delivered
  }

  private func rest(_ stream: inout Stream) -> [Int] {
    var delivered: [Int] = []
    while let message = stream.next() { delivered.append(message) }
    return delivered
  }

  @Test func `the next one is delivered, an old one dropped, a later one held`() {
    var stream = Stream()
    stream.start(at: place(4), now: 0)
    #expect(arrive(&stream, 5) == [5])
    #expect(arrive(&stream, 5) == [])
    #expect(arrive(&stream, 3) == [])
    #expect(arrive(&stream, 7) == [])
    #expect(stream.heldCount == 1)
    #expect(arrive(&stream, 6) == [6, 7])
    #expect(stream.position == place(7))
  }

  @Test func `what came before the position was known waits for it`() {
    var stream = Stream()
    #expect(arrive(&stream, 9) == [])
    #expect(arrive(&stream, 8) == [])
    stream.start(at: place(8), now: 0)
    #expect(rest(&stream) == [9])
  }

  @Test func `a gap is asked for after 30 ms, and not when it closed by itself`() {
    var stream = Stream()
    stream.start(at: place(0), now: 0)
    _ = arrive(&stream, 2, now: 100)
    #expect(stream.questionDue == 130)
    #expect(stream.takeQuestion(now: 129) == nil)
    _ = arrive(&stream, 1, now: 110)
    #expect(stream.questionDue == nil)
    _ = arrive(&stream, 5, now: 200)
    #expect(stream.takeQuestion(now: 230) == place(2))
    #expect(stream.takeQuestion(now: 1_000) == nil, "one question at a time")
  }

  @Test func `a new epoch is read even when what was held fills its start`() {
    var stream = Stream()
    stream.start(at: place(15), now: 0)
    _ = arrive(&stream, 1, "f")
    let known = stream.takeQuestion(now: 0)
    let answer = stream.answer(known: known, top: place(2, "f"), messages: [], isComplete: false, now: 10)
    guard case .resync(place(0, "f"), .epochChanged) = answer else { return #expect(Bool(false), "no resync") }
    #expect(rest(&stream) == [1])
    #expect(stream.takeQuestion(now: 100) == place(1, "f"), "the second one exists, too")
  }

  @Test func `what is known to exist is asked for even when a gap before it closes`() {
    var stream = Stream()
    stream.start(at: place(0), now: 0)
    _ = arrive(&stream, 2, now: 0)
    stream.expect(place(4), now: 0)
    #expect(arrive(&stream, 1, now: 10) == [1, 2])
    #expect(stream.takeQuestion(now: 30) == place(2))
  }

  @Test func `a question that fails is asked ever more rarely, whatever arrives, and at once after a doubt`() {
    var stream = Stream()
    stream.start(at: place(0), now: 0)
    _ = arrive(&stream, 2, now: 0)
    var now: Int64 = 30
    for wait in [100, 200, 400, 800, 1_000, 1_000] as [Int64] {
      let question = stream.takeQuestion(now: now)
      #expect(question == place(0))
      stream.questionFailed(now: now)
      _ = arrive(&stream, 3, now: now + 1)
      #expect(stream.questionDue == now + wait)
      now += wait
    }
    stream.doubt(now: now - 900)
    #expect(stream.questionDue == now - 900)
  }

  /// The prototype's only bug: messages that arrived after the question was sent came twice.
  @Test func `an answer is judged by the position its question named`() {
    var stream = Stream()
    stream.start(at: place(0), now: 0)
    _ = arrive(&stream, 3, now: 0)
    let known = stream.takeQuestion(now: 30)
    #expect(arrive(&stream, 1) == [1])
    #expect(arrive(&stream, 2) == [2, 3])
    let answer = stream.answer(
      known: known, top: place(2), messages: [(1, 1), (2, 2)], isComplete: true, now: 31)
    guard case .nothing = answer else { return #expect(Bool(false), "a top below the current position is no rollback") }
    #expect(rest(&stream) == [])
    #expect(stream.position == place(3))
  }

  @Test func `an incomplete answer is announced and goes on from the top`() {
    var stream = Stream()
    stream.start(at: place(0), now: 0)
    _ = arrive(&stream, 400, now: 0)
    let known = stream.takeQuestion(now: 30)
    let answer = stream.answer(known: known, top: place(399), messages: [], isComplete: false, now: 31)
    guard case .resync(place(399), .tooFar) = answer else { return #expect(Bool(false), "\(answer)") }
    #expect(rest(&stream) == [400])
  }

  @Test func `a beginning that is older than a doubt is asked about, even when nothing follows`() {
    var stream = Stream()
    stream.doubt(now: 5)
    #expect(stream.takeQuestion(now: 5) == nil, "from where?")
    stream.start(at: place(7), now: 6)
    #expect(stream.takeQuestion(now: 6) == place(7))
    var other = Stream()
    other.start(at: place(7), now: 6)
    #expect(other.takeQuestion(now: 60) == nil)
  }

  @Test func `an answer that was cut by its size is used, and the rest asked for`() {
    var stream = Stream()
    stream.start(at: place(0), now: 0)
    stream.doubt(now: 0)
    let known = stream.takeQuestion(now: 0)
    let answer = stream.answer(
      known: known, top: place(9), messages: [(1, 1), (2, 2)], isComplete: false, now: 1)
    guard case .nothing = answer else { return #expect(Bool(false), "\(answer)") }
    #expect(rest(&stream) == [1, 2])
    #expect(stream.takeQuestion(now: 60) == place(2))
  }

  @Test func `a new epoch is announced and read from its beginning`() {
    var stream = Stream()
    stream.start(at: place(7, "old"), now: 0)
    #expect(arrive(&stream, 2, "new", now: 10) == [])
    let known = stream.takeQuestion(now: 10)
    #expect(known == place(7, "old"))
    let answer = stream.answer(known: known, top: place(2, "new"), messages: [], isComplete: false, now: 11)
    guard case .resync(place(0, "new"), .epochChanged) = answer else { return #expect(Bool(false), "\(answer)") }
    let again = stream.takeQuestion(now: 61)
    #expect(again == place(0, "new"))
    _ = stream.answer(known: again, top: place(2, "new"), messages: [(1, 1), (2, 2)], isComplete: true, now: 62)
    #expect(rest(&stream) == [1, 2])
  }

  @Test func `a top below what was known is announced as a rollback`() {
    var stream = Stream()
    stream.start(at: place(9), now: 0)
    stream.doubt(now: 0)
    let known = stream.takeQuestion(now: 0)
    let answer = stream.answer(known: known, top: place(4), messages: [], isComplete: true, now: 1)
    guard case .resync(place(4), .rollback) = answer else { return #expect(Bool(false), "\(answer)") }
  }

  private func stream(in epoch: String) -> Stream {
    var stream = Stream()
    stream.start(at: Position(epoch: epoch, offset: 0), now: 0)
    return stream
  }

  private func changeEpoch(_ stream: inout Stream, to epoch: String) {
    let known = stream.position
    _ = stream.answer(known: known, top: Position(epoch: epoch, offset: 0), messages: [], isComplete: false, now: 0)
  }

  @Test func `a retry after a change of epoch is recognised, within two minutes, by all who were there`() {
    var stream = stream(in: "a")
    var answers = [stream.isFirst(key: 1, entries: 1, now: 0), stream.isFirst(key: 2, entries: 1, now: 0)]
    answers.append(stream.isFirst(key: 1, entries: 1, now: 10))  // the relay's business within an epoch
    changeEpoch(&stream, to: "b")
    answers.append(stream.isFirst(key: 1, entries: 1, now: 100_000))
    answers.append(stream.isFirst(key: 2, entries: 2, now: 100_000))  // somebody came since
    answers.append(stream.isFirst(key: 1, entries: 1, now: 120_010))
    #expect(answers == [true, true, true, false, true, true])
  }

  @Test func `only the last 64 deliveries are remembered`() {
    var stream = stream(in: "a")
    for key in 0..<65 { _ = stream.isFirst(key: key, entries: 0, now: 0) }
    changeEpoch(&stream, to: "b")
    let answers = [stream.isFirst(key: 1, entries: 0, now: 1), stream.isFirst(key: 0, entries: 0, now: 1)]
    #expect(answers == [false, true])
  }

  @Test func `what was held of an epoch that is over is not asked for again and again`() {
    var stream = stream(in: "b")
    _ = stream.arrive(1, at: Position(epoch: "a", offset: 7), now: 0)
    let question = stream.takeQuestion(now: 0)
    _ = stream.answer(
      known: question, top: Position(epoch: "b", offset: 0), messages: [], isComplete: true, now: 1)
    #expect(stream.heldCount == 0)
    #expect(stream.questionDue == nil)
  }

  @Test func `a room without a position does not ask, and a failed question of its predecessor is nothing to it`() {
    var stream = Stream()
    stream.questionFailed(now: 0)
    #expect(stream.questionDue == nil)
  }

  /// Replies, copies and answers of a READ in any order, with losses and doubles: every message once, in order.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func `any order of arrivals gives one order`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var stream = Stream()
    let (start, top) = (Int.random(in: 0...3, using: &generator), 60)
    var delivered: [Int] = []
    var now: Int64 = 0
    stream.start(at: place(start), now: 0)
    var arrivals = (1...top).flatMap { Array(repeating: $0, count: Int.random(in: 0...2, using: &generator)) }
    for index in arrivals.indices {
      arrivals.swapAt(index, min(arrivals.count - 1, index + Int.random(in: 0...9, using: &generator)))
    }
    var highest = start
    for offset in arrivals + [top] {
      highest = max(highest, offset)
      delivered += arrive(&stream, offset, now: now)
      now += Int64.random(in: 0...20, using: &generator)
      guard let known = stream.takeQuestion(now: now) else { continue }
      delivered += arrive(&stream, highest, now: now)  // comes between question and answer
      let messages = (known.offset + 1..<highest + 1).map { (offset: $0, message: $0) }
      let answer = stream.answer(
        known: known, top: place(highest), messages: messages, isComplete: true, now: now)
      if case .resync = answer { Issue.record("nothing was lost, seed \(seed)") }
      delivered += rest(&stream)
    }
    while let due = stream.questionDue {
      now = max(now, due)
      let known = stream.takeQuestion(now: now)!
      _ = stream.answer(
        known: known, top: place(top), messages: (known.offset + 1..<top + 1).map { ($0, $0) }, isComplete: true,
        now: now)
      delivered += rest(&stream)
    }
    #expect(delivered == Array(start + 1..<top + 1), "seed \(seed)")
  }
}
