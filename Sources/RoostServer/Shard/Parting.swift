import RealtimeCore

/// One shard's clients that are being sent to other nodes.
struct Parting {
  /// Those who were told and are about to be closed, in the order in which that is due.
  private var told: ContiguousArray<(id: ConnectionID, due: Int64)> = []
  private var head = 0
  /// Who is next; `nil`: nobody more has to go.
  var pace: DrainPace?
  /// Where the search for the next one goes on. It goes round, so that not always the same are sent away.
  var cursor: UInt32 = 0
  /// When the shard's timer comes for this, so that it is not asked for twice.
  var timer = Int64.max

  /// When there is something to do.
  var nextDue: Int64? {
    let close = head < told.count ? told[head].due : nil
    switch (pace?.nextDue, close) {
    case (let one?, let other?): return min(one, other)
    case (let one, let other): return one ?? other
    }
  }

  mutating func append(_ id: ConnectionID, due: Int64) { told.append((id, due)) }

  mutating func popDue(now: Int64) -> ConnectionID? {
    guard head < told.count, told[head].due <= now else { return nil }
    let id = told[head].id
    head += 1
    if head == told.count || head >= 1_024 {
      told.removeFirst(head)
      head = 0
    }
    return id
  }
}
