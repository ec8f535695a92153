/// Lets the first few of the same event through in each window of time, and counts the rest.
///
/// A peer that makes us warn can make us warn ten thousand times a second; the log must not be what breaks.
struct LogThrottle {
  /// What was not written of one event.
  struct Held: Equatable {
    let event: String
    let level: LogLevel
    let count: Int
    /// When its window began.
    let since: WallTime
  }

  /// What to write.
  enum Verdict: Equatable {
    case write
    /// Write, and first say what was held back in the window before.
    case writeAfter(Held)
    case hold
  }

  private struct Window {
    var start: WallTime
    var level: LogLevel
    var seen = 0
  }

  /// Events kept apart. They are literals in the program, so there are fewer; were there more, those beyond would share
  /// one window under one name.
  static let eventLimit = 128
  static let otherEvents = "other events"

  private let limit: Int
  private let windowMilliseconds: Int64
  private var windows: [String: Window] = [:]

  init(limit: Int, windowMilliseconds: Int64) {
    (self.limit, self.windowMilliseconds) = (limit, windowMilliseconds)
  }

  var eventCount: Int { windows.count }

  mutating func admit(_ event: String, _ level: LogLevel, now: WallTime) -> Verdict {
    let isKept = windows[event] != nil || windows.count < Self.eventLimit
    let key = isKept ? event : Self.otherEvents
    var window = windows[key] ?? Window(start: now, level: level)
    var held: Held?
    if isOver(window, now) {
      held = self.held(key, window)
      window = Window(start: now, level: level)
    }
    window.level = max(window.level, level)
    window.seen += 1
    windows[key] = window
    guard window.seen <= limit else { return .hold }
    return held.map { .writeAfter($0) } ?? .write
  }

  /// Ends the windows that are over, at the end all of them, and tells what was held back in them.
  mutating func takeHeld(now: WallTime, isEnd: Bool) -> [Held] {
    let over = windows.filter { isEnd || isOver($0.value, now) }
    for event in over.keys { windows[event] = nil }
    return over.compactMap { held($0.key, $0.value) }.sorted { $0.event < $1.event }
  }

  private func held(_ event: String, _ window: Window) -> Held? {
    guard window.seen > limit else { return nil }
    return Held(event: event, level: window.level, count: window.seen - limit, since: window.start)
  }

  /// A clock that was set back ends the window too: otherwise it could last for ever.
  private func isOver(_ window: Window, _ now: WallTime) -> Bool {
    !(0..<windowMilliseconds).contains(now.unixMilliseconds - window.start.unixMilliseconds)
  }
}
