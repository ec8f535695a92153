import Locks
import RealtimeCore
import RedisRelay
import Synchronization

/// What the hub's loop tells those who ask on other loops. Written once a turn, under a lock that nobody holds long.
final class SharedReport: Sendable {
  private let report = Mutex((hub: HubReport(), relay: RelayCounters()))

  func publish(_ hub: HubReport, _ relay: RelayCounters) { report.locked { $0 = (hub, relay) } }
  var latest: HubReport { report.locked { $0.hub } }
  var relay: RelayCounters { report.locked { $0.relay } }
}
