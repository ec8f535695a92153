public import LoadGenerator

/// How clients were sent away: whether they were told before, and when they were to come back.
///
/// Pure. A client that was only cut off comes back as well, and loses nothing; what is judged here nobody else notices.
public struct Farewells: Sendable {
  /// Fewer waits than these say nothing about how they were drawn.
  private static let fewest = 20

  /// Connections closed with 1012 before their client heard of it.
  public private(set) var untold = 0
  /// When clients were to come back, in milliseconds, in the order in which they were told.
  public private(set) var waits: [Int64] = []

  public init() {}

  /// `server_draining` came.
  public mutating func told(toWait milliseconds: Int64) { waits.append(milliseconds) }

  /// A connection that was open ended.
  public mutating func ended(_ ending: Ending, wasTold: Bool) {
    if ending == .closed(code: 1_012), !wasTold { untold += 1 }
  }

  /// What is wrong, in words.
  ///
  /// - Parameter spread: the longest wait there may be, in milliseconds.
  public func problems(spread: Int64) -> [String] {
    var problems: [String] = []
    if untold > 0 { problems.append("\(untold) clients were closed with 1012 and not told before") }
    guard let shortest = waits.min(), let longest = waits.max() else { return problems }
    if longest > spread { problems.append("clients were told to wait for \(longest) ms, more than \(spread)") }
    if waits.count >= Self.fewest, longest - shortest < spread / 2 {
      problems.append("\(waits.count) clients were all told to wait for \(shortest) to \(longest) ms")
    }
    return problems
  }
}
