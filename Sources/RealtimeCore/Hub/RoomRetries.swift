/// Rooms whose requests failed: each failure in a row waits longer than the one before, 100 ms doubling to a second.
struct RoomRetries {
  static let longest: Int64 = 1_000

  /// How long the `attempt`-th failure in a row waits.
  static func delay(attempt: Int) -> Int64 { min(longest, 100 << Int64(steps.clamp(attempt) - 1)) }

  private static let steps = 1...5
  private var count = 0
  private var queues = [DelayQueue<RoomNumber>](repeating: DelayQueue(), count: steps.count)

  /// Returns when the room is due.
  @discardableResult
  mutating func append(_ room: RoomNumber, attempt: Int, now: Int64) -> Int64 {
    let due = now + Self.delay(attempt: attempt)
    queues[Self.steps.clamp(attempt) - 1].append(room, due: due)
    count += 1
    return due
  }

  mutating func popDue(now: Int64) -> RoomNumber? {
    guard count > 0 else { return nil }
    for step in queues.indices {
      guard let room = queues[step].popDue(now: now) else { continue }
      count -= 1
      return room
    }
    return nil
  }

  var nextDue: Int64? {
    guard count > 0 else { return nil }  // asked every turn
    var earliest: Int64?
    for queue in queues {
      if let due = queue.nextDue { earliest = min(earliest ?? due, due) }
    }
    return earliest
  }
}

extension ClosedRange<Int> {
  fileprivate func clamp(_ number: Int) -> Int { Swift.min(Swift.max(number, lowerBound), upperBound) }
}
