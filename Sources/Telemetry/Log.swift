import Glibc
import Locks
import Synchronization

/// How much an event matters.
public enum LogLevel: Int, Comparable, CaseIterable, Sendable, CustomStringConvertible {
  case debug, info, warning, error

  public static func < (one: LogLevel, other: LogLevel) -> Bool { one.rawValue < other.rawValue }

  public var description: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }

  /// The level called `name`, as settings write it.
  public init?(_ name: String) {
    guard let level = Self.allCases.first(where: { $0.description == name }) else { return nil }
    self = level
  }
}

/// Writes events as lines, each with one write so that lines of several threads never mix. Copies share the throttle.
///
/// Never give it a token, a payload or a raw header (SECURITY-CHECKLIST section 5).
public struct Log: Sendable {
  /// How often the same warning or error may be written.
  public struct Sampling: Equatable, Sendable {
    /// Lines per window and event.
    public var limit = 10
    public var windowMilliseconds: Int64 = 60_000

    public init() {}
  }

  /// Takes one finished line with its line end.
  public typealias Sink = @Sendable ([UInt8]) -> Void

  public let level: LogLevel
  private let format: LogFormat
  private let sink: Sink
  private let clock: @Sendable () -> WallTime
  private let throttle: Throttle
  private var context: LogFields = [:]

  /// A throttle that several threads ask.
  private final class Throttle: Sendable {
    let counts = LogCounts()
    let state: Mutex<LogThrottle>
    init(_ sampling: Sampling) {
      state = Mutex(LogThrottle(limit: sampling.limit, windowMilliseconds: sampling.windowMilliseconds))
    }
  }

  public init(
    level: LogLevel = .info, format: LogFormat = .text, sampling: Sampling = Sampling(),
    clock: @escaping @Sendable () -> WallTime = WallClock.now, sink: @escaping Sink = Log.standardError
  ) {
    (self.level, self.format, self.clock, self.sink) = (level, format, clock, sink)
    throttle = Throttle(sampling)
  }

  /// The same log with `fields` in every line, such as the shard's number.
  public func with(_ fields: LogFields) -> Log {
    var copy = self
    copy.context.pairs += fields.pairs
    return copy
  }

  public func debug(_ event: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
    if level <= .debug { writeAlways(.debug, event, fields()) }
  }

  public func info(_ event: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
    if level <= .info { writeAlways(.info, event, fields()) }
  }

  /// Repeated warnings are sampled, see ``Sampling``.
  public func warning(_ event: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
    if level <= .warning { writeSampled(.warning, event, fields) }
  }

  /// Repeated errors are sampled, see ``Sampling``.
  public func error(_ event: StaticString, _ fields: @autoclosure () -> LogFields = [:]) {
    writeSampled(.error, event, fields)
  }

  /// Writes what was held back in windows that are over, or in all of them. Call it now and then and at the end, or
  /// the last count of an event that stopped is never told.
  public func summarise(isEnd: Bool = false) {
    let now = clock()
    for held in throttle.state.locked({ $0.takeHeld(now: now, isEnd: isEnd) }) { write(held, at: now) }
  }

  /// Events of `level` so far, written or held back, of all copies. Those below the log's own level are not counted.
  public func count(of level: LogLevel) -> Int { throttle.counts[level] }

  private func writeSampled(_ level: LogLevel, _ event: StaticString, _ fields: () -> LogFields) {
    throttle.counts.count(level)
    let now = clock()
    // Decided under the lock, written outside it.
    switch throttle.state.locked({ $0.admit("\(event)", level, now: now) }) {
    case .hold: return
    case .write: break
    case .writeAfter(let held): write(held, at: now)
    }
    write(level, "\(event)", fields(), at: now)
  }

  private func writeAlways(_ level: LogLevel, _ event: StaticString, _ fields: LogFields) {
    throttle.counts.count(level)
    write(level, "\(event)", fields, at: clock())
  }

  /// How often the event was held back, and since when.
  private func write(_ held: LogThrottle.Held, at now: WallTime) {
    let seconds = max(0, now.unixMilliseconds - held.since.unixMilliseconds) / 1_000
    write(held.level, held.event, ["repeated": .integer(held.count), "seconds": .integer(Int(seconds))], at: now)
  }

  private func write(_ level: LogLevel, _ event: String, _ fields: LogFields, at time: WallTime) {
    var line = LogLine(format, time, level, event)
    line.append(context)
    line.append(fields)
    sink(line.bytes)
  }

  /// Writes to descriptor 2. A line that cannot be written is lost: there is nobody left to tell.
  public static let standardError: Sink = { line in
    unsafe line.withUnsafeBytes { bytes in
      while unsafe Glibc.write(2, bytes.baseAddress, bytes.count) < 0, errno == EINTR {}
    }
  }
}
