/// Lets the first few of the same event through in each window of time, and counts the rest.
///
/// A peer that makes us warn can make us warn ten thousand times a second; the log must not be what breaks.
struct LogThrottle {
  /// What to write.
  enum Verdict: Equatable {
    case write
    /// Write, and first say that so many were held back in the window before.
    case writeAfter(held: Int)
    case hold
  }

  private struct Window {
    var start: WallTime
    var seen = 0
  }

  private let limit: Int
  private let windowMilliseconds: Int64
  /// By event. Events are literals in the program, so there are few.
  private var windows: [String: Window] = [:]

  init(limit: Int, windowMilliseconds: Int64) {
    (self.limit, self.windowMilliseconds) = (limit, windowMilliseconds)
  }

  mutating func admit(_ event: String, now: WallTime) -> Verdict {
    var window = windows[event] ?? Window(start: now)
    var held = 0
    if isOver(window, now) {
      held = max(0, window.seen - limit)
      window = Window(start: now)
    }
    window.seen += 1
    windows[event] = window
    guard window.seen <= limit else { return .hold }
    return held > 0 ? .writeAfter(held: held) : .write
  }

  /// Ends the windows that are over, and tells which events were held back in them and how often.
  mutating func takeHeld(now: WallTime) -> [(event: String, held: Int)] {
    let over = windows.filter { isOver($0.value, now) }
    for event in over.keys { windows[event] = nil }
    return over.filter { $0.value.seen > limit }.map { ($0.key, $0.value.seen - limit) }.sorted { $0.0 < $1.0 }
  }

  /// A clock that was set back ends the window too: otherwise it could last for ever.
  private func isOver(_ window: Window, _ now: WallTime) -> Bool {
    !(0..<windowMilliseconds).contains(now.unixMilliseconds - window.start.unixMilliseconds)
  }
}
