import Buffers
import EventLoops

/// Clients that get back what they say, and then say the next.
struct EchoDriver: Measurement, ~Copyable {
  let plan: BenchPlan
  private(set) var report = BenchReport()
  private var crowd: Crowd
  private var watch = Stopwatch()
  private var template: Template
  private var sent: [UInt32]
  private var received: [UInt32]

  init(_ plan: BenchPlan) {
    self.plan = plan
    crowd = Crowd(count: plan.connections, concurrency: plan.concurrency)
    template = Template(payloadBytes: plan.payloadBytes)
    sent = Array(repeating: 0, count: plan.connections)
    received = sent
    report.scenario = .echo
    report.planned = plan.connections
  }

  var isDone: Bool { watch.phase == .done }
  var deadline: Int64? { watch.deadline }

  mutating func opened(_ client: UInt32, tag: Int, _ wire: inout Wire) { crowd.opened(client, tag: tag) }

  mutating func ended(_ client: UInt32, tag: Int, _ ending: Ending, _ wire: inout Wire) {
    crowd.ended(tag: tag, ending)
  }

  mutating func received(_ message: borrowing RawSpan, by client: UInt32, tag: Int, _ wire: inout Wire) {
    guard let marker = Marker(in: message, at: 0), message.byteCount == max(plan.payloadBytes, Marker.byteCount) else {
      return crowd.note("an echo is not what was said")
    }
    switch marker.sequence {
    case received[tag] + 1: received[tag] += 1
    case ...received[tag]: report.duplicates += 1
    default:
      report.orderViolations += 1
      received[tag] = marker.sequence
    }
    if watch.phase == .measuring {
      report.deliveries += 1
      report.latency.add(UInt64(max(0, wire.now - Int64(marker.time))))
    }
    if watch.phase == .warming || watch.phase == .measuring { say(client, tag, &wire) }
  }

  mutating func turn(_ wire: inout Wire) {
    switch watch.phase {
    case .gathering:
      crowd.open(plan, &wire) { _ in false }
      guard crowd.isComplete else { return }
      watch.start(plan, now: wire.milliseconds)
      for (tag, client) in crowd.slots.enumerated() {
        if let client { for _ in 0..<plan.window { say(client, tag, &wire) } }
      }
    case .draining where sent == received: watch.finish()
    case .warming, .measuring, .draining, .done: break
    }
    if watch.advance(plan, now: wire.milliseconds, &report), watch.phase == .measuring { report.sent = 0 }
    if isDone { finish() }
  }

  private mutating func say(_ client: UInt32, _ tag: Int, _ wire: inout Wire) {
    sent[tag] += 1
    report.sent += 1
    template.send(Marker(time: UInt64(wire.now), sequence: sent[tag], sender: 0), from: client, &wire)
  }

  private mutating func finish() {
    report.connections = crowd.openCount
    for tag in sent.indices where crowd.slots[tag] != nil { report.lost += Int(sent[tag] - received[tag]) }
    (report.errors, report.firstError) = (crowd.failures, crowd.firstError)
  }
}
