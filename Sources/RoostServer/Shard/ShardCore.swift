import Buffers
import EventLoops
import HTTPCore
import RealtimeCore
import Telemetry
import Transport
import WebSocketCore

/// Everything one shard owns. Only its loop's thread touches it.
///
/// A turn:
///
///     wait ─► ready sockets ─► inbox ─► timers ─► hub (when it lives here) ─► flush: one send per touched client
///
/// What clients get is gathered in ``outbox`` on the way and leaves at the end, so that an ack, a room's batch and a
/// pong of one turn cost one system call together.
struct ShardCore: ~Copyable {
  /// What a turn was.
  enum Turn { case quiet, woken, stopped }

  let index: UInt8
  let context: NodeContext
  private let times: LoopTimes
  let rules: ShardRules
  let log: Log
  let loop: EventLoop
  let inbox: Mailbox<Parcel>
  var listener: Listener?
  /// Of the port for administration, when there is one and it is this shard's to serve.
  var adminListener: Listener?
  /// The hub, when it lives in this shard …
  var host: HubHost?
  private var hubDeadline: Int64?
  /// … or the way to it.
  let hub: Mailbox<HubCommand>?

  var connections = Slab<Connection>()
  var rooms = ShardRooms()
  var outbox = Outbox()
  var timers = Timers()
  var counters = ShardCounters()
  /// Who has not completed a request yet.
  var newcomers = Newcomers()
  /// Handshakes that wait for the hub: their 101, ready to be sent.
  var handshakes: [UInt32: [UInt8]] = [:]
  /// Calls to the API whose body is on its way, or that wait for the hub.
  var calls: [UInt32: APICall] = [:]
  /// Handshakes that wait for keys.
  var parked: [UInt32: ParkedHandshake] = [:]
  /// New tokens that do.
  var parkedOffers: [UInt32: OfferedToken] = [:]
  /// What the hub is told this turn.
  var hubCommands: [HubCommand] = []
  var parcels: [Parcel] = []
  /// What the hub that lives here answers; between turns its memory.
  private var outgoing = Outgoing()
  /// Which user has special items in the batch that is being spread.
  var marks = UserMarks()
  /// All receiving is done into this one buffer.
  /// Taken out while it is read, so that acting on its content may use everything else.
  var input: ReceiveBuffer?
  /// Where messages of the shard's own are written before they are framed.
  var text = ByteBuffer()
  var compression: ShardCompression
  /// Spreads what refused clients are told to wait.
  var retries: UInt64
  var events = EventBuffer()
  var now: Now
  /// How far the wall clock was from the other one when tokens' ends were last reckoned.
  var clockDifference: Int64
  /// No accepting before this moment, because descriptors ran out.
  var acceptsAgainAt = Int64.max
  /// Connections with a backlog, and when they are next looked at; `.max` when there are none.
  var slowSlots: Set<UInt32> = []
  var samplesBacklogsAt = Int64.max
  /// Rooms of which the client being served lost messages in this flush.
  var lostRooms: ContiguousArray<RoomNumber> = []
  /// Who is being sent to other nodes.
  var parting = Parting()
  /// Those who have received more than was read; no event will tell.
  var unread: [Slab<Connection>.Key] = []
  var isStopped = false

  init(
    index: UInt8, context: NodeContext, loop: EventLoop, inbox: Mailbox<Parcel>, listener: consuming Listener?,
    adminListener: consuming Listener?, host: consuming HubHost?, hub: Mailbox<HubCommand>?, log: Log
  ) throws(SystemError) {
    self.index = index
    self.context = context
    rules = ShardRules(context.configuration)
    compression = ShardCompression(context.configuration.compression)
    (self.loop, self.inbox, self.hub, self.log) = (loop, inbox, hub, log)
    // A hub of our own says in its first turn when it wants the next; one elsewhere never keeps us awake.
    hubDeadline = hub == nil ? 0 : nil
    input = ReceiveBuffer(capacity: rules.inputBytes)
    now = .read()
    times = context.loops[Int(index)]
    clockDifference = now.wall - now.monotonic
    retries = UInt64(truncatingIfNeeded: monotonicNanoseconds())
    if let descriptor = listener?.descriptor {
      try loop.add(descriptor, token: Token.listener, interest: .read)
    }
    self.listener = listener
    if let descriptor = adminListener?.descriptor {
      try loop.add(descriptor, token: Token.adminListener, interest: .read)
    }
    self.adminListener = adminListener
    self.host = host
  }

  mutating func turn() -> Turn {
    let isWoken = loop.wait(into: &events, timeout: timeout)
    now = .read()
    times.begin(at: now.nanoseconds)
    for index in 0..<events.count {
      handle(events[index])
      if outbox.isBig { flush() }
    }
    if !unread.isEmpty { readOn() }
    if isWoken { takeInbox() }
    watchClocks()
    runTimers()
    repeat {
      turnHub()
      flush()
    } while !hubCommands.isEmpty
    counters.turns &+= 1
    (counters.compressed, counters.compressedFrom, counters.compressedTo) = compression.done
    context.counters[Int(index)].publish(counters)
    times.end(at: monotonicNanoseconds())
    return isStopped ? .stopped : isWoken ? .woken : .quiet
  }

  /// How long the loop may sleep.
  private var timeout: CInt {
    guard unread.isEmpty else { return 0 }
    var wait = timers.timeout(now: now.monotonic)
    if let hubDeadline {
      let untilDue = CInt(clamping: max(0, hubDeadline - now.monotonic))
      wait = wait < 0 ? untilDue : min(wait, untilDue)
    }
    return wait
  }

  private mutating func handle(_ event: EventBuffer.Event) {
    switch event.token {
    case Token.listener: accept(isAdministrative: false)
    case Token.adminListener: accept(isAdministrative: true)
    case Token.relay...: host?.ready(event, now: now)
    default:
      let id = ConnectionID(rawValue: event.token)
      // The socket may be gone since the kernel wrote the event.
      guard connections.contains(id.key) else { return }
      if event.isWritable { makeRoom(id) }
      if event.isReadable, connections.contains(id.key) { receive(id.slot, event) }
    }
  }

  private mutating func makeRoom(_ id: ConnectionID) {
    drainBacklog(id.slot)
    if connections.contains(id.key), connections[id.slot].socket.needsWritable { moveTLS(id.slot) }
  }

  private mutating func takeInbox() {
    inbox.take(into: &parcels)
    for parcel in parcels { unsafe apply(parcel.commands, frames: parcel.frames.span.bytes) }
    parcels.removeAll(keepingCapacity: true)
  }

  /// Lets the hub hear what happened, and does what it says.
  private mutating func turnHub() {
    if let hub {
      hub.post(contentsOf: &hubCommands)
      return
    }
    hubDeadline = host?.turn(&hubCommands, now: now) ?? nil
    host?.exchange(0, for: &outgoing)
    guard !outgoing.commands.isEmpty else { return }
    var parcel = Outgoing()
    swap(&parcel, &outgoing)
    apply(parcel.commands, frames: parcel.frames.bytes)
    parcel.removeAll()
    swap(&parcel, &outgoing)
  }

  /// Counts a handshake that was turned away.
  func refused(_ reason: RefusalReason, _ slot: UInt32? = nil) {
    context.refusals.count(reason)
    guard let slot else { return log.debug("handshake refused", ["reason": .string(reason.word)]) }
    // A page is told nothing about it by its browser, and mostly it is a setting that is missing.
    guard reason != .origin else { return log.warning("handshake refused", ["reason": "origin"] + who(slot)) }
    log.debug("handshake refused", ["reason": .string(reason.word)] + who(slot))
  }

  /// Counts a WebSocket that the node ends.
  func closed(_ slot: UInt32, _ reason: CloseReason) {
    context.closes.count(reason)
    log.debug(
      "connection closed", ["reason": .string(reason.word), "code": .integer(Int(reason.code.rawValue))] + who(slot))
  }

  /// A connection in log lines: its id and its client's address, never who its user is.
  func who(_ slot: UInt32) -> LogFields {
    ["connection": .string(id(slot).text), "address": .string(context.host(of: connections[slot].address))]
  }

  func id(_ slot: UInt32) -> ConnectionID {
    ConnectionID(shard: index, generation: connections.key(of: slot).generation, slot: slot)
  }

  var second: Int32 { Int32(truncatingIfNeeded: now.monotonic / 1_000) }
}

/// Tokens of what is no connection. Connections use their id, whose first byte is the shard's number.
enum Token {
  static let listener: UInt64 = 0xFE << 56
  static let timers: UInt64 = listener + 1
  static let adminListener: UInt64 = listener + 2
  /// The relay's descriptors have tokens from here on.
  static let relay: UInt64 = 0xFF << 56
}

extension ConnectionID {
  /// Its place in its shard's slab.
  var key: Slab<Connection>.Key { .init(slot: slot, generation: generation) }

  /// Sixteen hexadecimal digits: shard, generation, slot.
  var text: String {
    let digits = String(rawValue, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}
