/// One node's drain, as it is seen from outside.
public struct NodeDrain: Sendable {
  /// What a node was told about draining, in seconds.
  public struct Rules: Sendable {
    public var wait: Double
    public var window: Double

    public init(wait: Double, window: Double) { (self.wait, self.window) = (wait, window) }
  }

  /// Between a client's `server_draining` and its close, and for each of few clients, in seconds.
  private static let (notice, gentle) = (0.5, 0.01)
  /// Smaller drains are over so soon that nothing is seen of their pace.
  private static let fewest = 20

  /// WebSockets of the node at the signal.
  public var connections: Int
  /// From the signal to the process' end.
  public var seconds: Double
  /// Handshakes that were refused meanwhile.
  public var refused: Int
  /// The cluster counted it when it was gone.
  public var leftLease: Bool

  public init(connections: Int, seconds: Double, refused: Int, leftLease: Bool) {
    (self.connections, self.seconds, self.refused, self.leftLease) = (connections, seconds, refused, leftLease)
  }

  /// What is wrong with all of them together, in words. A slow machine makes drains longer, never shorter; and what it
  /// can do to one of them (a health check that comes late, a Redis that is asked too late) is held against none.
  public static func problems(_ drains: [NodeDrain], _ rules: Rules) -> [String] {
    guard !drains.isEmpty else { return [] }
    var problems: [String] = []
    for (place, drain) in drains.enumerated() where drain.connections >= fewest {
      let window = min(rules.window, Double(drain.connections) * gentle)
      guard drain.seconds < rules.wait + notice + 0.8 * window else { continue }
      let seconds = (drain.seconds * 100).rounded() / 100
      problems.append("node \(place) was gone after \(seconds) s: \(drain.connections) clients went all at once")
    }
    if drains.allSatisfy({ $0.refused * 2 > $0.connections }) {
      let refused = drains.map { "\($0.refused)" }.joined(separator: ", ")
      problems.append("nodes that drained were given new clients and refused them: \(refused)")
    }
    if drains.allSatisfy(\.leftLease) { problems.append("nodes that were gone still counted") }
    return problems
  }
}
