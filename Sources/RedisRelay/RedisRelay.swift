// The map. RedisRelay owns two RedisConnections (socket, reader, backoff): *command*, on which requests are pipelined
// and answered in order, and *subscriber*, which is drained at once and only listens. What to say on them is in
// RedisRelay+Command and RedisRelay+Subscriber; what to conclude from time is pure: RelayLink, Liveness, Reconnect.
// RequestEncoder and ReplyDecoder are the two directions of a request; Scripts/ is what Redis runs for it, with the
// keys. ReplyReader is the only file that calls hiredis. Not here: what a frame means, and when to try again; both
// are the hub's.

import Buffers
public import RealtimeCore

/// A ``Relay`` over one Redis 7 (or Valkey), bound to one loop.
///
/// Begin every turn with ``advance(to:)``, tell it by ``ready(_:isReadable:now:)`` when one of its wires has something,
/// and call ``tick(now:)`` at the end, after requests were submitted: it sends what they wrote, watches deadlines and
/// reconnects. Wait no longer than until ``nextDeadline``. `now` is the monotonic clock in milliseconds. It touches the
/// world through its wires and its ``RelaySurroundings`` alone, so it also runs in a simulated one.
///
/// One way out of everything strange: a connection that times out, speaks nonsense, lost its scripts or turns out to
/// belong to an older session is abandoned; requests without an answer fail at once, and the next connection begins
/// with a new session, so that nothing the old one still holds can run after it.
public struct RedisRelay: ~Copyable, Relay {
  /// Which of the two connections.
  public enum Line: Sendable { case command, subscriber }

  let configuration: RedisRelayConfiguration
  let surroundings: RelaySurroundings

  var command: RedisConnection
  var subscriber: RedisConnection
  var resolver: Resolver
  var link = RelayLink(now: 0)
  var liveness = Liveness()

  /// Why a connection is not what it should be, until a probe proved that both are.
  var lineTrouble: RelayTrouble?
  var refusals = Refusals()
  /// When a message that is none is offered, to see whether messages would be accepted.
  var rehearseAt: Int64 = .min
  /// What was last reported, and all that was since there was none.
  private var reported: RelayTrouble?
  private var told: Set<RelayTrouble> = []
  /// The server whose settings were looked at.
  var advisedRunID = ""

  var pending = PendingReplies()
  var context: ScriptContext
  /// What the command connection's server told.
  var server = ServerInfo()
  var subscriberServer = ServerInfo()
  /// Subscriptions that Redis must still confirm before this connection is ready.
  var awaitedSubscriptions = 0
  /// The channels of rooms, where rooms have channels.
  var roomChannels = RoomChannels()
  /// The channel for this node alone, as it stands before its frames.
  let ownChannel: [UInt8]
  /// The generation whose successor a boot must ask for, because its server changed its role; or empty.
  var distrusted = ""
  /// Begins every probe, so that nobody else's is taken for ours.
  let probeMark: [UInt8]

  var events: [RelayEvent] = []
  var frameBytes = 0
  var hasDroppedFrames = false
  var notices: [String] = []
  /// What was counted since the start.
  public internal(set) var counters = RelayCounters()
  var now: Int64 = 0
  var isRunning = false
  var scratch = [UInt8](repeating: 0, count: 65_536)
  var spareReply = Reply()

  /// - Parameters:
  ///   - command, subscriber: the wires; they stay the same over reconnects.
  ///   - seed: for the jitter of reconnects; different on every node.
  public init(
    configuration: RedisRelayConfiguration, command: any RedisWire, subscriber: any RedisWire,
    surroundings: RelaySurroundings, seed: UInt64
  ) {
    (self.configuration, self.surroundings) = (configuration, surroundings)
    let limit = configuration.replyBytes
    self.command = RedisConnection(wire: command, byteLimit: limit, seed: seed)
    self.subscriber = RedisConnection(wire: subscriber, byteLimit: limit, seed: ~seed)
    resolver = Resolver(place: configuration.server.place, wake: surroundings.wake)
    context = ScriptContext(node: configuration.nodeID)
    ownChannel = Array(configuration.nodeChannel(configuration.nodeID).utf8)
    probeMark = Array("probe \(surroundings.secret(16)) ".utf8)
  }

  /// Begins to connect. Not being able to is no error: it goes on trying.
  public mutating func start(now: Int64) {
    isRunning = true
    link = RelayLink(now: now)
    tick(now: now)
  }

  /// Closes both connections and fails what has no answer yet. ``takeEvents(into:)`` still works.
  public mutating func stop() {
    isRunning = false
    closeCommand()
    subscriber.close(now: now)
  }

  /// Begins a turn. What is submitted in it waits from this time on, however long the relay had nothing to do before.
  public mutating func advance(to now: Int64) { self.now = now }

  /// A wire has room (it is connected, or its connect failed) or, when `isReadable`, something to read.
  public mutating func ready(_ line: Line, isReadable: Bool, now: Int64) {
    self.now = now
    switch line {
    case .command: commandReady(isReadable: isReadable)
    case .subscriber: subscriberReady(isReadable: isReadable)
    }
  }

  public mutating func submit(_ request: RelayRequest, ticket: RelayTicket) {
    guard command.phase == .ready, pending.count < configuration.pendingRequests,
      command.outbound.count < configuration.unsentBytes
    else {
      events.append(.reply(ticket, .failed(.unavailable)))
      return
    }
    let shape = context.append(
      request, configuration: configuration, wallClock: surroundings.wallClock, to: &command.outbound)
    expectReply(.request(ticket, shape))
  }

  public mutating func follow(_ room: RoomName) {
    guard configuration.topology == .rooms else { return }
    if roomChannels.follow(room) { events.append(.followed(room)) }
  }

  public mutating func unfollow(_ room: RoomName) { roomChannels.unfollow(room, now: now) }

  public mutating func takeEvents(into events: inout [RelayEvent]) {
    if hasDroppedFrames { self.events.append(.resubscribed) }
    (hasDroppedFrames, frameBytes) = (false, 0)
    if events.isEmpty {
      swap(&events, &self.events)
    } else {
      events.append(contentsOf: self.events)
      self.events.removeAll(keepingCapacity: true)
    }
  }

  /// Words for the operator's log since the last call: why connections were given up, what Redis refused.
  /// At most 32, without secrets.
  public mutating func takeNotices() -> [String] {
    defer { notices = [] }
    return notices
  }

  public var state: RelayState { link.state }
  /// Requests reach Redis, as far as is known at this moment.
  var isAnswering: Bool { command.phase == .ready }

  /// Connects, gives up, probes and sends, as time demands.
  public mutating func tick(now: Int64) {
    self.now = now
    guard isRunning else { return }
    if command.holdsMore { commandReady(isReadable: true) }
    if subscriber.holdsMore { subscriberReady(isReadable: true) }
    openWhatIsDue()
    giveUpWhatIsLate()
    if let number = liveness.due(now: now) { sendProbe(number) }
    rehearse()
    tendRoomChannels()
    if case .lost(let trouble, let why) = command.flush() { abandonCommand(trouble, why) }
    if case .lost(let trouble, let why) = subscriber.flush() { abandonSubscriber(trouble, why) }
    report()
  }

  /// When ``tick(now:)`` must be called at the latest; `.max` when only events matter.
  public var nextDeadline: Int64 {
    guard isRunning else { return .max }
    if !command.outbound.isEmpty && command.canSend || !events.isEmpty { return now }
    if roomChannels.hasNews && subscriber.canSend { return now }
    if command.holdsMore || subscriber.holdsMore { return now }
    // Only a ready connection is given up for its oldest question; others have a deadline of their own.
    let late = command.phase == .ready ? pending.oldest.map { $0 + timeout } : nil
    return min(
      command.isUp ? command.deadline : command.retryAt, subscriber.isUp ? subscriber.deadline : subscriber.retryAt,
      late ?? .max, liveness.deadline ?? .max, link.deadline ?? .max,
      rehearsalDue ?? .max, refusals.deadline ?? .max, roomChannels.deadline ?? .max)
  }

  var timeout: Int64 { Int64(configuration.commandTimeoutMilliseconds) }

  private mutating func openWhatIsDue() {
    if !command.isUp, now >= command.retryAt {
      if let address = resolver.address(now: now) {
        if case .lost(let trouble, let why) = command.open(address, now: now) { abandonCommand(trouble, why) }
      } else {
        command.postpone(now: now)
        if resolver.isLost {
          lineTrouble = .unreachable
          tell(.unreachable, "\(configuration.server): the host's name has no address")
        }
      }
    }
    if !subscriber.isUp, now >= subscriber.retryAt {
      if let address = resolver.address(now: now) {
        if case .lost(let trouble, let why) = subscriber.open(address, now: now) { abandonSubscriber(trouble, why) }
      } else {
        subscriber.postpone(now: now)
      }
    }
  }

  private mutating func giveUpWhatIsLate() {
    if now >= command.deadline {
      abandonCommand(command.lateness, "Redis does not answer (\(command.phase))")
    }
    if let oldest = pending.oldest, command.phase == .ready, now - oldest >= timeout {
      abandonCommand(.timeout, "a command had no answer for \(now - oldest) ms", since: oldest)
    }
    if now >= subscriber.deadline {
      abandonSubscriber(subscriber.lateness, "Redis does not answer the subscriber (\(subscriber.phase))")
    }
    if let since = liveness.overdueSince(now: now) {
      let why = "what was published did not come back for \(now - since) ms"
      abandonSubscriber(.deafSubscriber, why, since: since)
    }
  }

  private mutating func sendProbe(_ number: Int) {
    command.outbound.appendCommand(words: 3)
    command.outbound.appendWord("PUBLISH")
    command.outbound.appendWord(configuration.nodeChannel(configuration.nodeID))
    command.outbound.appendWord(probeMark + Array(String(number).utf8))
    expectReply(.probe(number))
  }

  /// The next reply of the command connection will be this.
  mutating func expectReply(_ kind: PendingReply.Kind) {
    pending.append(kind, now: now, nanoseconds: surroundings.nanoseconds())
  }

  /// Both connections are up, to one server: from now on probes can prove it.
  mutating func establish() {
    guard command.phase == .ready, subscriber.phase == .ready else { return }
    link.established()
    liveness.start(now: now)
  }

  // MARK: Telling

  /// Tells state and trouble when they changed.
  private mutating func report() {
    if !refusals.isEmpty { refusals.forgetOld(now: now) }
    link.refusing(since: refusals.blockedSince)
    if let state = link.tick(now: now) { events.append(.state(state)) }
    let trouble = lineTrouble ?? refusals.trouble
    guard trouble != reported else { return }
    reported = trouble
    events.append(.trouble(trouble))
    guard trouble == nil else { return }
    told = []
    notice("Redis at \(configuration.server) does all that is asked again")
  }

  /// A notice about a trouble, once until all is well again: it may happen many times a second.
  mutating func tell(_ trouble: RelayTrouble, _ text: String) {
    guard told.insert(trouble).inserted else { return }
    notice("\(text) [\(trouble.rawValue)]" + (trouble.advice.isEmpty ? "" : ": \(trouble.advice)"))
  }

  mutating func notice(_ text: String) {
    if notices.count < 32, notices.last != text { notices.append(text) }
  }
}
