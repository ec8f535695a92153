import RoostTesting
import Synchronization
import Testing

@testable import Telemetry

/// Keeps lines, and a clock to turn by hand.
final class Paper: Sendable {
  private let lines = Mutex<[String]>([])
  private let time = Mutex(WallTime(unixMilliseconds: 1_795_233_000_123))

  func log(level: LogLevel = .info, format: LogFormat = .text, limit: Int = 3) -> Log {
    var sampling = Log.Sampling()
    (sampling.limit, sampling.windowMilliseconds) = (limit, 1000)
    return Log(
      level: level, format: format, sampling: sampling, clock: { self.time.withLock { $0 } },
      sink: { line in self.lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
  }

  func pass(milliseconds: Int64) { time.withLock { $0.unixMilliseconds += milliseconds } }

  func takeLines() -> [String] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }
}

@Suite struct LogTests {
  @Test func `text lines`() {
    let paper = Paper()
    paper.log().info(
      "node started",
      ["port": 8080, "node": "a-1", "draining": false, "load": 0.5, "words": "two words", "none": ""])
    #expect(
      paper.takeLines() == [
        "2026-11-21T03:50:00.123Z info node started port=8080 node=a-1 draining=false load=0.5 "
          + "words=\"two words\" none=\"\"\n"
      ])
  }

  @Test func `JSON lines`() {
    let paper = Paper()
    paper.log(format: .json).with(["shard": 1]).error("relay lost", ["why": "a \"b\"", "n": -1, "x": .decimal(.nan)])
    #expect(
      paper.takeLines() == [
        #"{"time":"2026-11-21T03:50:00.123Z","level":"error","event":"relay lost","shard":1,"why":"a \"b\"","n":-1,"#
          + #""x":"nan"}"# + "\n"
      ])
  }

  @Test(arguments: LogLevel.allCases)
  func `levels filter`(level: LogLevel) {
    let paper = Paper()
    let log = paper.log(level: level)
    log.debug("event")
    log.info("event")
    log.warning("event")
    log.error("event")
    let levels = paper.takeLines().map { String($0.split(separator: " ")[1]) }
    #expect(levels == LogLevel.allCases.filter { $0 >= level }.map(\.description))
    #expect(LogLevel(level.description) == level && LogLevel("loud") == nil)
  }

  @Test func `what is filtered is not even built`() {
    func mustNotRun() -> LogFields {
      Issue.record("built for nothing")
      return [:]
    }
    Paper().log(level: .error).info("event", mustNotRun())
  }

  @Test(arguments: [
    ("a\nb", #""a\nb""#), ("a\r\n2026 info forged", #""a\r\n2026 info forged""#), ("\u{1B}[2J", #""\u001b[2J""#),
    ("\0", #""\u0000""#), ("\u{85}\u{2028}\u{2029}", #""\u0085\u2028\u2029""#), ("a=b", #""a=b""#),
    ("\u{202E}txt", #""\u202etxt""#), ("a\\b", #""a\\b""#), ("größe 😀", "\"größe 😀\""), ("\u{7F}", #""\u007f""#),
    ("\u{E0001}", #""\udb40\udc01""#), ("a\tb", #""a\tb""#),
  ])
  func `values cannot forge lines`(value: String, written: String) {
    for format in LogFormat.allCases {
      let paper = Paper()
      paper.log(format: format).info("event", ["v": .string(value)])
      let line = paper.takeLines().joined()
      #expect(line.hasSuffix(format == .text ? " v=\(written)\n" : ",\"v\":\(written)}\n"))
    }
  }

  /// Any text at all stays one line without control characters.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func `any value stays one line`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var value = ""
    for _ in 0..<Int.random(in: 0...700, using: &generator) {
      let limit: UInt32 = Bool.random(using: &generator) ? 0x100 : 0x11_0000
      value.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) ?? "\n")
    }
    for format in LogFormat.allCases {
      let paper = Paper()
      paper.log(format: format).info("event", ["v": .string(value), "last": 1])
      let line = paper.takeLines().joined()
      #expect(line.utf8.count(where: { $0 == 10 }) == 1 && line.utf8.allSatisfy { $0 >= 32 || $0 == 10 })
      #expect(line.utf8.count < 8192 && line.hasSuffix(format == .text ? " last=1\n" : ",\"last\":1}\n"))
    }
  }

  @Test func `repeated warnings are held back and counted`() {
    let paper = Paper()
    let log = paper.log(limit: 3)
    for _ in 0..<10 { log.with([:]).warning("bad frame") }
    log.warning("another")
    #expect(paper.takeLines().count == 4)
    paper.pass(milliseconds: 999)
    log.warning("bad frame")
    #expect(paper.takeLines().isEmpty)
    paper.pass(milliseconds: 1)
    log.warning("bad frame")
    let lines = paper.takeLines()
    #expect(lines.count == 2 && lines.first?.hasSuffix("Z warning bad frame repeated=8 seconds=1\n") == true)
    for _ in 0..<9 { log.info("often") }
    #expect(paper.takeLines().count == 9, "what is meant to be told is not held back")
  }

  @Test func `what was held back is told when the event stops`() {
    let paper = Paper()
    let log = paper.log(format: .json, limit: 1)
    for _ in 0..<5 { log.error("broken") }
    log.summarise()
    #expect(paper.takeLines().count == 1)
    paper.pass(milliseconds: 1000)
    log.summarise()
    log.summarise()
    let line = #""level":"error","event":"broken","repeated":4,"seconds":1}"#
    #expect(paper.takeLines().map { $0.hasSuffix(line + "\n") } == [true])
  }

  @Test func `at the end everything that was held back is told, whatever its time`() {
    let paper = Paper()
    let log = paper.log(limit: 1)
    for _ in 0..<3 { log.warning("slow") }
    log.warning("once")
    #expect(paper.takeLines().count == 2)
    log.summarise(isEnd: true)
    #expect(paper.takeLines().map { $0.hasSuffix(" warning slow repeated=2 seconds=0\n") } == [true])
  }

  @Test func `the throttle's memory is bounded, and what is beyond is still counted`() {
    var throttle = LogThrottle(limit: 1, windowMilliseconds: 1_000)
    let now = WallTime(unixMilliseconds: 5_000)
    for number in 0..<1_000 {
      let verdict = throttle.admit("event \(number)", .warning, now: now)
      #expect(verdict == (number <= LogThrottle.eventLimit ? .write : .hold), "\(number)")
    }
    #expect(throttle.eventCount == LogThrottle.eventLimit + 1)
    let held = throttle.takeHeld(now: WallTime(unixMilliseconds: 6_000), isEnd: false)
    #expect(held.map(\.event) == [LogThrottle.otherEvents] && held.map(\.count) == [1_000 - LogThrottle.eventLimit - 1])
    #expect(throttle.eventCount == 0)
  }

  @Test func `events are counted by level, written or not`() {
    let paper = Paper()
    let log = paper.log(level: .warning, limit: 1)
    for _ in 0..<4 { log.with(["shard": 1]).warning("w") }
    log.error("e")
    log.info("i")
    #expect(LogLevel.allCases.map(log.count(of:)) == [0, 0, 4, 1])
    #expect(paper.takeLines().count == 2)
  }

  @Test func `a clock set back does not silence an event`() {
    let paper = Paper()
    let log = paper.log(limit: 1)
    log.warning("x")
    paper.pass(milliseconds: -3_600_000)
    log.warning("x")
    #expect(paper.takeLines().count == 2)
  }

  @Test func `lines go to standard error`() async throws {
    let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
      Log(level: .info).info("hello", ["n": 1])
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains("Z info hello n=1\n"))
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (951_782_400_007, "2000-02-29T00:00:00.007Z"),
      (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
    ] as [(Int64, String)])
  func `times`(milliseconds: Int64, text: String) {
    #expect(WallTime(unixMilliseconds: milliseconds).text == text)
  }
}
