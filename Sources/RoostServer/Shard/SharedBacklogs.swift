import Locks
import Synchronization

/// A shard's report on its slow clients, for readers on other loops.
final class SharedBacklogs: Sendable {
  private let report = Mutex(BacklogReport())

  func publish(_ report: BacklogReport) { self.report.locked { $0 = report } }
  var latest: BacklogReport { report.locked { $0 } }
}
