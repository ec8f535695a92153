import Buffers
import EventLoops

/// Rooms whose members get what some of them, or all, say.
struct FanoutDriver: Measurement, ~Copyable {
  private struct Room {
    var template: Template
    var sent = 0
    var delivered = 0
    var nextTalker = 0
    /// Something arrived in this turn, so there may be room in the window.
    var isTouched = false
  }

  let plan: BenchPlan
  private(set) var report = BenchReport()
  private var crowd: Crowd
  private var watch = Stopwatch()
  private var ledger: FanoutLedger
  private var rooms: [Room]
  private var touched: [Int] = []
  private var joined = 0
  private var nextRoom = 0
  /// When the next message is due, in nanoseconds, while a rate is kept.
  private var nextDue = 0.0
  private var lastArrival: Int64 = 0
  /// Markers are nearly always at the same place.
  private var markerPlace = 0

  init(_ plan: BenchPlan) {
    self.plan = plan
    crowd = Crowd(count: plan.rooms * plan.clientsPerRoom, concurrency: plan.concurrency)
    ledger = FanoutLedger(
      rooms: plan.rooms, clientsPerRoom: plan.clientsPerRoom, talkersPerRoom: plan.talkersPerRoom)
    rooms = (0..<plan.rooms).map {
      Room(template: Template(room: "bench-\($0)", payloadBytes: plan.payloadBytes))
    }
    report.scenario = .fanout
    report.planned = crowd.slots.count
  }

  var isDone: Bool { watch.phase == .done }

  var deadline: Int64? {
    let due = plan.rate > 0 && talks ? Int64(nextDue / 1_000_000) + 1 : .max
    return min(watch.deadline ?? .max, due)
  }

  private var talks: Bool { watch.phase == .warming || watch.phase == .measuring }
  /// Receivers of each message.
  private var fan: Int { plan.clientsPerRoom - 1 }

  // MARK: What happens

  mutating func opened(_ client: UInt32, tag: Int, _ wire: inout Wire) {
    crowd.opened(client, tag: tag)
    let text = #"{"type":"join_room","payload":{"room_id":"bench-\#(tag / plan.clientsPerRoom)"}}"#
    wire.send(unsafe text.utf8Span.span.bytes, from: client)
  }

  mutating func ended(_ client: UInt32, tag: Int, _ ending: Ending, _ wire: inout Wire) {
    crowd.ended(tag: tag, ending)
  }

  mutating func received(_ message: borrowing RawSpan, by client: UInt32, tag: Int, _ wire: inout Wire) {
    if let marker = marker(in: message) { return arrive(marker, at: tag, &wire) }
    switch MessageKind(message) {
    case .ack: if watch.phase == .measuring { report.acks += 1 }
    case .roomInfo: joined += 1
    case .error: unsafe message.withUnsafeBytes { unsafe crowd.note(String(decoding: $0, as: UTF8.self)) }
    case .other: break
    }
  }

  private mutating func marker(in message: borrowing RawSpan) -> Marker? {
    if let marker = Marker(in: message, at: markerPlace) { return marker }
    guard let place = Marker.find(in: message) else { return nil }
    markerPlace = place
    return Marker(in: message, at: place)
  }

  private mutating func arrive(_ marker: Marker, at tag: Int, _ wire: inout Wire) {
    let room = tag / plan.clientsPerRoom
    if ledger.arrive(at: tag, from: marker.sender, marker.sequence) != .duplicate { rooms[room].delivered += 1 }
    lastArrival = wire.milliseconds
    if watch.phase == .measuring {
      report.deliveries += 1
      report.latency.add(UInt64(max(0, wire.now - Int64(marker.time))))
    }
    guard !rooms[room].isTouched else { return }
    rooms[room].isTouched = true
    touched.append(room)
  }

  // MARK: What is said

  mutating func turn(_ wire: inout Wire) {
    let now = wire.milliseconds
    switch watch.phase {
    case .gathering:
      crowd.open(plan, &wire) { $0 % plan.clientsPerRoom >= plan.membersPerRoom }
      if crowd.isComplete && joined >= crowd.openCount {
        watch.start(plan, now: now)
        nextDue = Double(wire.now)
        for room in rooms.indices { touch(room) }
      }
    case .draining where ledger.lost(at: present) == 0: watch.finish()
    case .draining where now - lastArrival < 1_000: watch.keepDraining(now: now)
    case .warming, .measuring, .draining, .done: break
    }
    if watch.advance(plan, now: now, &report), watch.phase == .measuring { report.sent = 0 }
    if talks { plan.rate > 0 ? keepRate(&wire) : fillWindows(&wire) }
    if isDone { finish() }
  }

  private var present: some Sequence<Int> {
    crowd.slots.indices.lazy.filter { [slots = crowd.slots] in slots[$0] != nil }
  }

  private mutating func touch(_ room: Int) {
    rooms[room].isTouched = true
    touched.append(room)
  }

  private mutating func fillWindows(_ wire: inout Wire) {
    for room in touched {
      rooms[room].isTouched = false
      while (rooms[room].sent + 1) * fan - rooms[room].delivered <= plan.window * fan,
        say(in: room, at: wire.now, &wire)
      {
      }
    }
    touched.removeAll(keepingCapacity: true)
  }

  private mutating func keepRate(_ wire: inout Wire) {
    while nextDue <= Double(wire.now) {
      // The time a message was due, not when it left: a late generator must not hide a late server.
      _ = say(in: nextRoom, at: Int64(nextDue), &wire)
      nextRoom = (nextRoom + 1) % rooms.count
      nextDue += 1e9 / plan.rate
    }
  }

  /// False when nobody in the room can talk.
  private mutating func say(in room: Int, at time: Int64, _ wire: inout Wire) -> Bool {
    for _ in 0..<plan.talkersPerRoom {
      let talker = rooms[room].nextTalker
      rooms[room].nextTalker = (talker + 1) % plan.talkersPerRoom
      guard let client = crowd.slots[ledger.client(room: room, talker: talker)] else { continue }
      let sequence = ledger.send(room: room, talker: talker)
      let marker = Marker(time: UInt64(time), sequence: sequence, sender: UInt32(talker))
      rooms[room].template.send(marker, from: client, &wire)
      rooms[room].sent += 1
      report.sent += 1
      return true
    }
    return false
  }

  private mutating func finish() {
    report.connections = crowd.openCount
    report.lost = ledger.lost(at: present)
    report.duplicates = ledger.duplicates
    report.orderViolations = ledger.orderViolations
    (report.errors, report.firstError) = (crowd.failures, crowd.firstError)
  }
}
