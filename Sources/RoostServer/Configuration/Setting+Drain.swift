extension Setting {
  /// How clients are sent to other nodes.
  static let drain: [Setting] = [
    .decimal(
      "drain-wait", "from SIGTERM, which makes the node not ready, until clients are sent away", 0...600, "seconds",
      \.drain.wait),
    .decimal(
      "drain-window", "over which clients are sent away, evenly; few take 10 ms each", 0...3_600, "seconds",
      \.drain.window),
    .decimal(
      "drain-deadline", "from SIGTERM to the end, whatever is left then; the rest is closed with 1001", 1...7_200,
      "seconds", \.drain.deadline),
    .decimal(
      "reconnect-spread", "clients that are sent away are told to come back within this, each at another time", 0...60,
      "seconds", \.drain.reconnectSpread),
    .whether("rebalance", "send connections away when other nodes have fewer", \.drain.rebalance),
    .number(
      "rebalance-threshold", "above the mean of all nodes, from which on a node has too many", 5...1_000, "percent",
      \.drain.rebalanceThreshold),
    .number(
      "rebalance-least", "above the mean, from which on a node has too many", 1...1_000_000, "connections",
      \.drain.rebalanceLeast),
    .number(
      "rebalance-rate", "sent away to balance, at most", 1...10_000, "connections a second",
      \.drain.rebalancePerSecond),
  ]
}
