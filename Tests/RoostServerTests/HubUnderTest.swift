import Buffers
import EventLoops
import RealtimeCore
import RoostTesting
import Telemetry

@testable import RoostServer

/// A node without shards: its hub and relay in the test's own thread, and the test in the place of a backend.
struct HubUnderTest: ~Copyable {
  struct Silence: Error {}

  private let loop: EventLoop
  private var host: HubHost
  private var events = EventBuffer(capacity: 16)
  private var outgoing = Outgoing()
  private let report: SharedReport
  private let asker = ConnectionID(shard: 0, generation: 1, slot: 1)

  init(_ configuration: ServerConfiguration) throws {
    let (loop, report) = (try EventLoop(), SharedReport())
    let host = try HubHost(configuration, port: 0, shards: 1, loop: loop, report: report, log: Log(level: .error))
    (self.loop, self.report) = (loop, report)
    self.host = host
  }

  /// Waits until it belongs to the cluster.
  mutating func join() throws { try turn { $0.relayState == .connected } }

  /// Asks, and turns until the answer is there.
  ///
  /// - Parameter isAwake: false when the test did something else before: then it heard nothing of Redis, may think that
  ///   it is lost, and looks first.
  mutating func ask(isAwake: Bool = false, _ question: (ConnectionID) -> HubCommand) throws -> BackendAnswer {
    var turns = isAwake ? 4 : 0
    try turn {
      turns += 1
      return turns > 3 && (isAwake || $0.relayState == .connected)
    }
    var answer: BackendAnswer?
    var commands = [question(asker)]
    try turn(&commands) { commands, _ in
      for case .backend(_, let found) in commands { answer = found }
      return answer != nil
    }
    return answer!
  }

  mutating func turn(until isTrue: (HubReport) -> Bool) throws {
    var commands: [HubCommand] = []
    try turn(&commands) { isTrue($1) }
  }

  private mutating func turn(
    _ commands: inout [HubCommand], until isDone: ([ShardCommand], HubReport) -> Bool
  ) throws {
    let deadline = monotonicMilliseconds() + 120_000
    while monotonicMilliseconds() < deadline {
      host.turn(&commands, now: now)
      host.exchange(0, for: &outgoing)
      let said = outgoing.commands
      outgoing.removeAll()
      if isDone(said, report.latest) { return }
      let wait = host.nextDeadline.map { max(0, $0 - monotonicMilliseconds()) } ?? 100
      _ = loop.wait(into: &events, timeout: CInt(min(wait, 100)))
      for index in 0..<events.count { host.ready(events[index], now: now) }
    }
    throw Silence()
  }

  private var now: Now { Now(monotonic: monotonicMilliseconds(), wall: wallClockMilliseconds()) }
}
