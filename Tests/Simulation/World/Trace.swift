/// The last things that happened, for people who look for the reason of a violation.
public final class Trace {
  /// Lines kept; older ones are forgotten. 0: none, which is fastest.
  public var limit = 0
  /// Prints every line at once.
  public var isPrinting = false
  var clock: SimulatedClock?
  private var kept: [String] = []

  public var isOn: Bool { limit > 0 || isPrinting }

  func note(_ who: @autoclosure () -> String, _ what: @autoclosure () -> String) {
    guard isOn else { return }
    let time = clock?.microseconds ?? 0
    let seconds = "\(time / 1_000_000).\(String(time % 1_000_000 + 1_000_000).dropFirst().prefix(4))"
    let line = "\(seconds.leftPadded(9))  \(who().rightPadded(9)) \(what())"
    if isPrinting { print(line) }
    kept.append(line)
    if kept.count > 2 * limit { kept.removeFirst(kept.count - limit) }
  }

  /// The last lines, oldest first.
  public var lines: [String] { Array(kept.suffix(limit)) }
}

extension String {
  func leftPadded(_ width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
  func rightPadded(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
}
