/// When clients that must go are sent away: one after the other, evenly over a window, so that the nodes they come back
/// to, and what stands before those, see a stream and not a wave.
///
/// Each shard has a pace of its own for its share of the clients; the shards' turns lie between each other's, so all
/// together are even without speaking with each other. Times are milliseconds of the loop's clock.
public struct DrainPace: Equatable, Sendable {
  /// A shard that was held up catches up by at most so many milliseconds' worth at once, and is done later instead.
  static let mostAtOnce: Int64 = 100

  private let count: Int
  private let window: Int64
  private var start: Int64
  private var sent = 0

  /// - Parameters:
  ///   - count: how many go; 0 or more.
  ///   - window: over so many milliseconds; 0: at once.
  ///   - share: which of the shards this is, and of how many.
  public init(count: Int, over window: Int64, from now: Int64, share: (index: Int, of: Int) = (0, 1)) {
    precondition(count >= 0 && window >= 0 && (0..<share.of).contains(share.index))
    (self.count, self.window) = (count, window)
    // A part of the time between two of this shard's own.
    start = now + (count == 0 ? 0 : window * Int64(share.index) / Int64(share.of) / Int64(count))
  }

  public var isOver: Bool { sent >= count }

  /// How many to send away now, and counts them as sent.
  public mutating func take(now: Int64) -> Int {
    guard !isOver, now >= start else { return 0 }
    let mostAtOnce = window == 0 ? count : max(1, count * Int(Self.mostAtOnce) / Int(max(window, Self.mostAtOnce)))
    let due = window == 0 ? count : min(count, 1 + Int(now - start) * count / Int(window))
    let taken = min(due - sent, mostAtOnce)
    guard taken > 0 else { return 0 }
    sent += taken
    // What was not caught up moves everything behind it.
    if due > sent { start = now - Int64(sent - 1) * window / Int64(count) }
    return taken
  }

  /// When the next one is due; `nil` when all are sent.
  public var nextDue: Int64? {
    guard !isOver else { return nil }
    // Rounded up: a moment earlier nothing would be due.
    return window == 0 ? start : start + (Int64(sent) * window + Int64(count) - 1) / Int64(count)
  }
}
