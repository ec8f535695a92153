import Buffers
import EventLoops

/// Connections that do nothing: what each costs in memory.
struct IdleDriver: Measurement, ~Copyable {
  let plan: BenchPlan
  private(set) var report = BenchReport()
  private var crowd: Crowd
  private var watch = Stopwatch()
  private var joined = 0
  private let memoryBefore: ProcessUsage

  init(_ plan: BenchPlan) {
    self.plan = plan
    crowd = Crowd(count: plan.connections, concurrency: plan.concurrency)
    memoryBefore = ProcessUsage(of: plan.processes)
    report.scenario = .idle
    report.planned = plan.connections
  }

  var isDone: Bool { watch.phase == .done }
  var deadline: Int64? { watch.deadline }

  mutating func opened(_ client: UInt32, tag: Int, _ wire: inout Wire) {
    crowd.opened(client, tag: tag)
    guard plan.joins else { return }
    let text = #"{"type":"join_room","payload":{"room_id":"bench-\#(tag % plan.rooms)"}}"#
    wire.send(unsafe text.utf8Span.span.bytes, from: client)
  }

  mutating func ended(_ client: UInt32, tag: Int, _ ending: Ending, _ wire: inout Wire) {
    crowd.ended(tag: tag, ending)
  }

  mutating func received(_ message: borrowing RawSpan, by client: UInt32, tag: Int, _ wire: inout Wire) {
    if case .roomInfo = MessageKind(message) { joined += 1 }
  }

  mutating func turn(_ wire: inout Wire) {
    if watch.phase == .gathering {
      crowd.open(plan, &wire) { _ in false }
      if crowd.isComplete && (!plan.joins || joined >= crowd.openCount) { watch.start(plan, now: wire.milliseconds) }
    }
    guard watch.advance(plan, now: wire.milliseconds, &report), watch.phase == .draining else { return }
    report.memory = ProcessUsage(of: plan.processes) - memoryBefore
    report.connections = crowd.openCount
    (report.errors, report.firstError) = (crowd.failures, crowd.firstError)
    watch.finish()
  }
}
