/// A hub's numbers at the end of a turn.
public struct HubReport: Sendable, Equatable {
  /// Which node this is in the cluster's eyes, as `GET /api/nodes` names it.
  public var instance = ""
  public var counters = HubCounters()
  public var connections = 0
  public var users = 0
  public var rooms = 0
  /// Users in rooms here: one who is in two rooms counts twice.
  public var members = 0
  /// Live nodes of the cluster, as the relay told last.
  public var nodes = 0
  /// Messages that wait for the relay or for its answer.
  public var pendingMessages = 0
  /// Memory of the rooms' last messages, about.
  public var rememberedBytes = 0
  public var relayState = RelayState.starting
  public var relayTrouble: RelayTrouble?
  /// Revocations this node knows of, and when it last knew all of them, in milliseconds of the monotonic clock.
  public var revocations = 0
  public var revocationsCompleteAt: Int64?
  /// The relay has heard that this node is gone, or will not hear of it.
  public var hasDeparted = false

  public init() {}
}

extension Hub {
  public var report: HubReport {
    var report = HubReport()
    report.instance = configuration.instance
    report.counters = counters
    (report.connections, report.users, report.rooms) = (connections.count, userNumbers.count, roomNumbers.count)
    (report.members, report.nodes) = (memberCount, presence.nodes.count)
    report.pendingMessages = pendingMessages
    (report.relayState, report.relayTrouble) = (relayState, standing.trouble)
    (report.revocations, report.revocationsCompleteAt) = (revocations.table.count, revocations.completeAt)
    report.rememberedBytes = ringBytes
    report.hasDeparted = presence.hasDeparted
    return report
  }
}
