import Buffers
import EventLoops
import RealtimeCore
import RedisRelay
import Telemetry
import WebSocketCore

/// The hub with its relay, and what turns the hub's actions into frames for shards.
///
/// Lives in the shard's own loop when there is one shard, so that a message is parsed, published and spread in one
/// turn without a lock; else in a loop of its own.
struct HubHost: ~Copyable {
  private var hub: Hub
  private var relay: NodeRelay
  private let log: Log
  private let report: SharedReport
  private var events: [RelayEvent] = []
  private var batches: BatchBuilder
  /// What each shard gets at the end of the turn.
  private var outgoing = Slab<Outgoing>()
  private var sheds = 0

  init(_ hub: consuming Hub, relay: consuming NodeRelay, shards: Int, report: SharedReport, log: Log) {
    self.report = report
    self.hub = hub
    self.relay = relay
    self.log = log
    batches = BatchBuilder(shards: shards)
    for _ in 0..<shards { _ = outgoing.insert(Outgoing()) }
  }

  /// When ``turn(_:now:)`` is needed next, in milliseconds of the monotonic clock.
  var nextDeadline: Int64? {
    switch (hub.nextDeadline, relay.nextDeadline) {
    case (let hub?, let relay?): min(hub, relay)
    case (let hub, let relay): hub ?? relay
    }
  }

  /// A descriptor of the relay's is ready.
  mutating func ready(_ event: EventBuffer.Event, now: Now) {
    relay.ready(place: Int(event.token - Token.relay), isReadable: event.isReadable, now: now)
  }

  mutating func start(now: Now) { relay.start(now: now) }

  /// Lets the hub hear what happened, until neither it nor the relay has anything more to say. Answers when it is
  /// needed next, in milliseconds of the monotonic clock.
  @discardableResult
  mutating func turn(_ commands: inout [HubCommand], now: Now) -> Int64? {
    relay.advance(to: now)
    // What the relay says of itself comes first: the first command of all must not meet a relay that seems away.
    takeRelayEvents(now: now)
    for command in commands { hub.handle(command, now: now) }
    commands.removeAll(keepingCapacity: true)
    if let due = hub.nextDeadline, due <= now.monotonic { hub.tick(now: now) }
    repeat {
      takeRelayEvents(now: now)
      hub.endTurn(now: now)
      perform()
      relay.endTurn(now: now)
      relay.takeEvents(into: &events)
    } while !events.isEmpty
    for notice in relay.takeNotices() { log.warning("redis", ["notice": .string(notice)]) }
    report.publish(hub.report, relay.counters)
    return nextDeadline
  }

  private mutating func takeRelayEvents(now: Now) {
    relay.takeEvents(into: &events)
    for event in events { hub.handle(event, now: now) }
    events.removeAll(keepingCapacity: true)
  }

  /// Hands over what `shard` gets, in exchange for an empty one whose memory serves the next turn.
  mutating func exchange(_ shard: Int, for other: inout Outgoing) { swap(&outgoing[UInt32(shard)], &other) }

  // MARK: Actions

  private mutating func perform() {
    var output = HubOutput()
    swap(&output, &hub.output)
    for action in output.actions { perform(action, output.text.bytes) }
    sealBatches(output.text.bytes)
    output.removeAll()
    swap(&output, &hub.output)
  }

  private mutating func perform(_ action: HubAction, _ text: RawSpan) {
    switch action {
    case .item(let room, let item): return batches.add(item, to: room)
    case .relay(let request, let ticket): return relay.submit(request, ticket: ticket)
    case .follow(let room): return relay.follow(room)
    case .unfollow(let room): return relay.unfollow(room)
    case .notice(let notice): return log.note(notice)
    default: break
    }
    // What follows must not overtake the room items before it.
    sealBatches(text)
    switch action {
    case .text(let id, let range):
      outgoing[id.slotOfShard].add(text.extracting(range)) { .text(id, $0) }
    case .enter(let id, let number, let name, let range):
      batches.enter(number, shard: id.shard)
      outgoing[id.slotOfShard].add(text.extracting(range)) { .enter(id, number, name, $0) }
    case .exit(let id, let number, let name, let range):
      outgoing[id.slotOfShard].add(text.extracting(range)) { .exit(id, number, name, $0) }
    case .replay(let id, let replay): outgoing[id.slotOfShard].commands.append(.replay(id, replay))
    case .resync(let id, let number, let range):
      outgoing[id.slotOfShard].add(text.extracting(range)) { .resync(id, number, $0) }
    case .admit(let id, let user): outgoing[id.slotOfShard].commands.append(.admit(id, user))
    case .refuse(let id, let refusal): outgoing[id.slotOfShard].commands.append(.refuse(id, refusal))
    case .refreshed(let id, let grant, let isGood, let messageID):
      outgoing[id.slotOfShard].commands.append(.refreshed(id, grant, isGood: isGood, id: messageID))
    case .backend(let id, let answer): outgoing[id.slotOfShard].commands.append(.backend(id, answer))
    case .online(let id, let numbers): outgoing[id.slotOfShard].commands.append(.online(id, numbers))
    case .close(let id, let cause): outgoing[id.slotOfShard].commands.append(.close(id, cause))
    case .drain: outgoing[0].commands.append(.drainWanted)
    case .shed(let count, let time): shed(count, over: time)
    case .forget(let number):
      batches.forget(number)
      for slot in 0..<UInt32(outgoing.count) { outgoing[slot].commands.append(.forget(number)) }
    case .everyone(let range):
      var frame = ByteBuffer()
      FrameWriter.append(.text, text.extracting(range), to: &frame)
      let bytes = frame.array()
      for slot in 0..<UInt32(outgoing.count) { outgoing[slot].commands.append(.everyone(bytes)) }
    case .item, .relay, .follow, .unfollow, .notice: break
    }
  }

  /// Every shard sends away its part; a different one each time has one more.
  private mutating func shed(_ count: Int, over milliseconds: Int64) {
    let shards = outgoing.count
    for shard in 0..<shards {
      let part = count / shards + ((shard + sheds) % shards < count % shards ? 1 : 0)
      if part > 0 { outgoing[UInt32(shard)].commands.append(.shed(part, overMilliseconds: milliseconds)) }
    }
    sheds = (sheds + 1) % shards
  }

  private mutating func sealBatches(_ text: RawSpan) {
    while let (batch, shards) = batches.next(text) {
      for slot in 0..<UInt32(outgoing.count) where shards & 1 << UInt64(slot) != 0 {
        outgoing[slot].commands.append(.batch(batch))
      }
    }
  }
}

/// What one shard gets this turn: commands, and the frames they point into.
struct Outgoing: ~Copyable {
  var commands: [ShardCommand] = []
  var frames = ByteBuffer()

  /// Frames `text` and adds the command that points at it.
  mutating func add(_ text: RawSpan, _ command: (Range<Int>) -> ShardCommand) {
    let start = frames.count
    FrameWriter.append(.text, text, to: &frames)
    commands.append(command(start..<frames.count))
  }

  mutating func removeAll() {
    commands.removeAll(keepingCapacity: true)
    frames.removeAll()
  }
}

extension ConnectionID {
  /// Shards are kept in a slab whose slots are their numbers.
  fileprivate var slotOfShard: UInt32 { UInt32(shard) }
}

extension Log {
  func note(_ notice: HubNotice) {
    switch notice {
    case .relayState(.degraded): warning("relay degraded")
    case .relayState(let state): info("relay state", ["state": .string("\(state)")])
    case .fenced(let incarnation): warning("fenced", ["incarnation": .string(incarnation)])
    case .reaped(let incarnation): info("reaped", ["incarnation": .string(incarnation)])
    case .rebalances(let count): info("rebalancing", ["connections": .integer(count)])
    case .revocationsOld(let count):
      warning("revocations may be old while the relay is away", ["known": .integer(count)])
    case .revocationsCurrent(let count): info("all revocations are known again", ["known": .integer(count)])
    case .badFrame(let reason): warning("bad frame on the relay channel", ["reason": .string(reason)])
    }
  }
}
