import Buffers

// Hub
//
// Every node runs one. It knows the node's connections, users and rooms, puts each room's messages in order, counts
// presence, and talks to the relay; shards know sockets and members, and ask it about everything else.
//
//     shards ── HubCommand ──►┌─────┐── HubAction ──► shards (texts, room items, enter, exit)
//     relay ─── RelayEvent ──►│ Hub │── HubAction.relay ──► relay
//     clock ─── tick ────────►└─────┘
//
// It owns no socket, clock or source of chance: everything comes in as an argument and goes out as an action, so a
// whole cluster of hubs runs in one thread under a seed.
//
// A turn: commands and events are handled, then `endTurn` sends what they gathered (publications, presence changes,
// rosters), each as few requests as possible.

/// The node's side of rooms, presence and relay. Decides; the shell acts.
public struct Hub: ~Copyable {
  let configuration: HubConfiguration
  let startedAt: Int64
  var random: Chance
  /// What the shell has to do, filled by every input. The shell empties it.
  public var output = HubOutput()
  public internal(set) var counters = HubCounters()

  /// For texts on their way elsewhere; its memory lives as long as the hub.
  var scratch = ByteBuffer()
  private var lastStamp = Timestamp(milliseconds: 0)

  // Who and where
  var connections: [ConnectionID: HubConnection] = [:]
  var users = Slab<HubUser>()
  var userNumbers: [UserKey: UserNumber] = [:]
  var departedRates = DepartedRates()
  var rooms = Slab<HubRoom>()
  var roomNumbers: [RoomName: RoomNumber] = [:]
  /// Users in rooms: one who is in two rooms counts twice.
  var memberCount = 0

  // What is remembered
  var ringBytes = 0
  var ringOrder = UseOrder()
  /// Connections that were given something of the past and did not take it yet.
  var outstanding: [ConnectionID: Outstanding] = [:]
  /// Bytes of history that this turn's answers have.
  var historyBytes = 0

  // The relay
  var standing = RelayStanding()
  var generationToken = ""
  var nextTicket: RelayTicket = 1
  var questions: [RelayTicket: Question] = [:]
  var messageCounter = 0
  var pendingMessages = 0
  var pendingBytes = 0
  /// Rooms that something must be sent for at the end of the turn.
  var marked: [RoomNumber] = []
  var roomRetries = RoomRetries()
  var gaps = DelayQueue<RoomNumber>()

  var presence: Presence
  var refresh = RosterRefresh()
  var typing = TypingTable()
  var gatherings = Gatherings()
  var backendRates = BackendRates()
  var online = OnlineCache()
  var admissions = Admissions()
  var userCounts = UserCounts()
  var revocations = Revocations()
  var partings = Partings()
  var rebalancing: Rebalance?
  /// Rooms with somebody on the way in, due when the one who came first has waited too long.
  var entrantDeadlines = DelayQueue<RoomNumber>()

  /// `seed` feeds the choice of retry delays and names; the same inputs and seed give the same actions.
  public init(_ configuration: HubConfiguration, seed: UInt64, now: Now) {
    self.configuration = configuration
    random = Chance(seed: seed)
    startedAt = now.monotonic
    presence = Presence(instance: configuration.instance, now: now.monotonic)
    rebalancing = configuration.rebalance.map { Rebalance($0) }
  }

  public var connectionCount: Int { connections.count }
  public var userCount: Int { userNumbers.count }
  public var roomCount: Int { roomNumbers.count }

  // MARK: Inputs

  public mutating func handle(_ command: HubCommand, now: Now) {
    switch command {
    case .connect(let connection, let identity, let token): connect(connection, identity, token, now: now)
    case .disconnect(let connection, let departure): disconnect(connection, departure, now: now)
    case .join(let connection, let room, let wish, let id): join(connection, room, wish, id: id, now: now)
    case .askHistory(let connection, let room, let limit, let before, let id):
      askHistory(connection, room, limit: limit, before: before, id: id, now: now)
    case .replayDrained(let connection): replayDrained(connection, now: now)
    case .dropped(let connection, let room): dropped(connection, room, now: now)
    case .leave(let connection, let room, let id): leave(connection, room, id: id, now: now)
    case .send(let connection, let room, let text): send(connection, room, text, now: now)
    case .typing(let connection, let room, let isTyping): type(connection, room, isTyping, now: now)
    case .askOnlineUsers(let connection, let room, let id): askOnlineUsers(connection, room, id: id, now: now)
    case .sendPrivate(let connection, let recipient, let text): sendPrivate(connection, recipient, text, now: now)
    case .chat(let connection, let text): chat(connection, text, now: now)
    case .refresh(let connection, let grant, let id): refresh(connection, grant, id: id)
    case .revoke(let asker, let wanted): revoke(asker, wanted, now: now)
    case .disconnectUser(let asker, let user, let reason): disconnectUser(asker, user, reason: reason, now: now)
    case .checkToken(let asker, let grant): checkToken(asker, grant)
    case .serve(let asker, let wish): serve(asker, wish, now: now)
    case .askOnline(let connection): askOnline(connection, now: now)
    case .drainNode(let asker, let node): drainNode(asker, node, now: now)
    case .beginDrain: beginDrain(now: now)
    case .sendAway(let connection): sendAway(connection, now: now)
    case .depart(let grace): depart(graceMilliseconds: grace)
    }
  }

  public mutating func handle(_ event: RelayEvent, now: Now) {
    switch event {
    case .reply(let ticket, let reply):
      // A reply to a question that was given up (a room that is gone) finds nothing, which is fine.
      if let question = questions.removeValue(forKey: ticket) { answer(question, reply, now: now) }
    case .frame(let bytes): frame(bytes, now: now)
    case .directed(let bytes): directed(bytes, now: now)
    case .state(let state): relayChanged(to: state, now: now)
    case .trouble(let trouble): standing.trouble = trouble
    case .generation(_, let token): generationBegan(token: token, now: now)
    case .resubscribed:
      doubtAllRooms(now: now)
      doubtRosters(isNewGeneration: false, now: now)
      doubtRevocations(isNewGeneration: false, now: now)
    case .followed(let room): followed(room, now: now)
    }
  }

  /// Time passed. Call when ``nextDeadline`` has come; calling too often does no harm.
  public mutating func tick(now: Now) {
    tickPresence(now: now)
    tickRosters(now: now)
    tickTyping(now: now)
    tickGatherings(now: now)
    tickUserCounts(now: now)
    tickRings(now: now)
    if let rate = configuration.rate { departedRates.tick(now: now.monotonic, lifetime: UserRate.memory(rate)) }
    while let number = entrantDeadlines.popDue(now: now.monotonic) { giveUpEntrants(number, now: now) }
    while let number = roomRetries.popDue(now: now.monotonic) { mark(number) }
    while let number = gaps.popDue(now: now.monotonic) { mark(number) }
  }

  /// Sends what the turn gathered.
  public mutating func endTurn(now: Now) {
    askAboutNewcomers()
    partFromAnswered(now: now)
    sendUserCounts()
    sendPresenceChanges(now: now)
    historyBytes = 0
    serveRevocations(now: now)
    if ringBytes > configuration.ringBytes { shrinkRings() }
    guard !marked.isEmpty else { return }
    var numbers: [RoomNumber] = []
    swap(&numbers, &marked)
    for number in numbers { settle(number, now: now) }
    askGaps(numbers, now: now)
    refreshRosters()
    numbers.removeAll(keepingCapacity: true)
    if marked.isEmpty { swap(&numbers, &marked) }
  }

  /// When ``tick(now:)`` is needed next, in milliseconds of the monotonic clock.
  public var nextDeadline: Int64? {
    // Asked every turn: no array for it.
    var earliest = presence.nextDeadline
    func consider(_ due: Int64?) {
      if let due { earliest = min(earliest, due) }
    }
    consider(nextRosterDeadline)
    consider(typing.nextDeadline)
    consider(gatherings.timeouts.nextDue)
    consider(partings.nextLook)
    consider(entrantDeadlines.nextDue)
    consider(roomRetries.nextDue)
    consider(gaps.nextDue)
    consider(ringDeadline)
    consider(userCounts.retryAt)
    consider(departedRates.nextDue)
    consider(revocationDeadline)
    return earliest
  }

  /// The time as texts carry it, formatted once per millisecond.
  mutating func stamp(_ now: Now) -> Timestamp {
    if lastStamp.milliseconds != now.wall { lastStamp = Timestamp(milliseconds: now.wall) }
    return lastStamp
  }

  // MARK: Rooms of this turn

  /// The room needs a look at the end of the turn.
  mutating func mark(_ number: RoomNumber) {
    guard rooms.isInUse(number), !rooms[number].isMarked else { return }
    rooms[number].isMarked = true
    marked.append(number)
  }

  /// Publishes and asks for what the room needs; forgets it when nobody needs it.
  private mutating func settle(_ number: RoomNumber, now: Now) {
    guard rooms.isInUse(number) else { return }
    rooms[number].isMarked = false
    follow(number)
    publishWaiting(number, now: now)
    serveReturners(number, now: now)
    askRoster(number, now: now)
    if rooms[number].users.isEmpty { forgetTurnsOfTheGone(room: number) }
    if !rooms[number].isUsed { forgetRoom(number) }
  }

  // MARK: Asking the relay

  mutating func ask(_ request: RelayRequest, _ question: Question) {
    let ticket = nextTicket
    nextTicket += 1
    questions[ticket] = question
    output.actions.append(.relay(request, ticket))
  }

  private mutating func answer(_ question: Question, _ reply: RelayReply, now: Now) {
    if case .failed(.refused(let trouble)) = reply { counters.refused[trouble, default: 0] += 1 }
    switch question {
    case .publish(let room): published(room, reply, now: now)
    case .read(let numbers): readAnswered(numbers, reply, now: now)
    case .roster(let room): rosterArrived(room, reply, now: now)
    case .past(let room, let ticket): pastArrived(room, ticket, reply, now: now)
    case .history(let connection, let room, let id): historyArrived(connection, room, id: id, reply, now: now)
    case .presence(let incarnation): presenceAnswered(incarnation: incarnation, reply, now: now)
    case .lease(let question, let incarnation): leaseAnswered(question, incarnation: incarnation, reply, now: now)
    case .reap(let incarnation): reapAnswered(incarnation, reply)
    case .online: onlineArrived(reply, now: now)
    case .newcomers(let connections): newcomersCounted(connections, reply, now: now)
    case .userCounts(let users): userCountsArrived(users, reply, now: now)
    case .revoke(let asker, let keys): revokeAnswered(asker, keys, reply, now: now)
    case .revocations: revocationsArrived(reply, now: now)
    case .chat(let connection, let id): chatAnswered(connection, id: id, reply)
    case .direct(let request): handedOn(request, reply)
    case .backendRoom(let asker, let room): backendRoomRead(asker, room, reply)
    case .backendRoster(let asker, let room): backendRosterArrived(asker, room, reply)
    case .backendHistory(let asker, let room): backendHistoryArrived(asker, room, reply, now: now)
    case .nothing: break
    }
  }
}
