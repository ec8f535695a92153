import Locks
import RealtimeCore
import Synchronization

/// What the hub's loop tells those who ask on other loops. Written once a turn, under a lock that nobody holds long.
final class SharedReport: Sendable {
  private let report = Mutex(HubReport())

  func publish(_ report: HubReport) { self.report.locked { $0 = report } }
  var latest: HubReport { report.locked { $0 } }
}
