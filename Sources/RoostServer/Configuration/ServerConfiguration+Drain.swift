import RealtimeCore

extension ServerConfiguration {
  /// How the node sends its clients elsewhere: all of them when it ends, some when it has too many. In seconds.
  public struct Drain: Equatable, Sendable {
    /// From the signal, with which `/readyz` turns to 503, until the first client is sent away.
    public var wait = 3.0
    /// Over which clients are sent away, at most: few take less.
    public var window = 10.0
    /// From the signal to the end of the process, whatever is left then.
    public var deadline = 30.0
    /// A client is told to wait up to so long before it comes back, each another time.
    public var reconnectSpread = 1.0

    /// Sends connections to nodes that have fewer.
    public var rebalance = false
    /// Percent above the mean of all nodes, and …
    public var rebalanceThreshold = 20
    /// … connections above it, from which on the node has too many.
    public var rebalanceLeast = 50
    /// Connections sent away each second, at most.
    public var rebalancePerSecond = 20

    public init() {}

    /// How long users who were sent away have until others hear that they left, in milliseconds: what they were told to
    /// wait, and two seconds to get in.
    var returnGrace: Int64 { Int64(reconnectSpread * 1_000) + 2_000 }

    var timetable: DrainTimetable.Rules {
      DrainTimetable.Rules(
        wait: Int64(wait * 1_000), window: Int64(window * 1_000), deadline: Int64(deadline * 1_000))
    }

    var rebalanceRules: Rebalance.Rules {
      Rebalance.Rules(threshold: rebalanceThreshold, least: rebalanceLeast, perSecond: rebalancePerSecond)
    }
  }

  /// Seconds that a drain takes besides its settings: the last client's last answers and last words.
  private static let drainReserve = 2.0

  var drainProblems: [String] {
    let needed = drain.wait + drain.window + Double(times.close) + Self.drainReserve
    guard needed > drain.deadline else { return [] }
    return [
      "drain-deadline (\(drain.deadline)) must be at least drain-wait (\(drain.wait)), drain-window (\(drain.window)), "
        + "close-time (\(times.close)) and \(Self.drainReserve) s together: \(needed)"
    ]
  }
}
