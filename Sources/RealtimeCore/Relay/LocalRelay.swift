import Buffers

// LocalRelay
//
// The relay of a node that has no Redis: the same promises, from memory, until the process ends. A request is
// answered before `submit` returns, so nothing is ever in flight and nothing fails.
//
// A room that nobody uses is forgotten after its history's lifetime. It may begin again, and must not be taken for
// the room it was: its epoch is a new one.
//
// All rooms' messages have one budget of memory. The room that nobody said or read anything in for the longest time
// pays first; what is gone makes `read` incomplete, as it does in Redis.

/// Numbers, stores and counts for one node without Redis.
public struct LocalRelay: ~Copyable, Relay {
  private static var token: String { "local" }
  private static var sweepInterval: Int64 { 60_000 }

  private let historyMessages: Int
  private let historyLifetime: Int64
  private let historyBytes: Int
  private var epochs: Chance
  private var events: [RelayEvent] = []
  private var rooms = Slab<LocalRoom>()
  private var roomNumbers: [RoomName: UInt32] = [:]
  private var uses = UseOrder()
  private var heldBytes = 0
  private var online: Set<UserKey> = []
  private var connections = 0
  private var incarnation = ""
  private var digests = LocalDigests()
  private var revocations = LocalRevocations()
  private var now: Now
  private var nextSweep: Int64
  private var scratch = ByteBuffer()

  /// - Parameters:
  ///   - seed: makes the epochs, which must differ between processes.
  ///   - historyMessages: messages kept per room.
  ///   - historySeconds: how long a message is kept.
  ///   - historyBytes: memory of all rooms' messages together, about.
  public init(
    seed: UInt64, historyMessages: Int = 300, historySeconds: Int = 3_600, historyBytes: Int = 256 << 20, now: Now
  ) {
    epochs = Chance(seed: seed)
    self.historyMessages = historyMessages
    self.historyBytes = historyBytes
    historyLifetime = Int64(historySeconds) * 1_000
    self.now = now
    nextSweep = now.monotonic + Self.sweepInterval
    events = [.generation(id: "local", token: Self.token), .state(.connected), .resubscribed]
  }

  /// Tells the time, which requests are stamped with, and forgets what is too old. Once a turn.
  public mutating func advance(to now: Now) {
    self.now = now
    guard now.monotonic >= nextSweep else { return }
    nextSweep = now.monotonic + Self.sweepInterval
    sweep()
  }

  public mutating func takeEvents(into events: inout [RelayEvent]) {
    guard !self.events.isEmpty else { return }
    events.append(contentsOf: self.events)
    self.events.removeAll(keepingCapacity: true)
  }

  public mutating func submit(_ request: RelayRequest, ticket: RelayTicket) {
    events.append(.reply(ticket, reply(to: request)))
  }

  private mutating func reply(to request: RelayRequest) -> RelayReply {
    switch request {
    case .publish(let room, let publications): return .published(publish(publications, in: room))
    case .read(let questions): return .read(questions.map { read($0.room, known: $0.known) })
    case .history(let room, let before, let limit): return .history(history(room, before: before, limit: limit))
    case .changePresence(let incarnation, let changes):
      guard incarnation == self.incarnation else { return .fenced }
      for change in changes { apply(change) }
      return .presenceChanged
    case .countConnections(let incarnation, let count):
      guard incarnation == self.incarnation else { return .fenced }
      connections = count
      return .presenceChanged
    case .countUsers(_, let users): return .counted(elsewhere: users.map { _ in 0 })
    case .heartbeat(let incarnation, let count, let isDraining):
      guard incarnation == self.incarnation else { return .fenced }
      connections = count
      return alive(isDraining: isDraining)
    case .register(let incarnation, _, let count):
      (self.incarnation, connections) = (incarnation, count)
      return alive(isDraining: false)
    case .depart:
      connections = 0
      return .presenceChanged
    case .reap: return .reaped(isDone: true)
    case .roster(let room): return .roster(roster(of: room))
    case .online: return .online(connections: connections, users: online.count, nodes: 1)
    case .revoke(let wanted): return .revoked(refused: revoke(wanted))
    case .revocations(let position):
      return .revocations(revocations.slice(after: position, horizon: horizon))
    case .broadcast(let frame), .tell(_, let frame):
      events.append(.frame(frame))
      return .sent(receivers: 1)
    case .send(_, let frame):
      events.append(.directed(frame))
      return .sent(receivers: 1)
    }
  }

  /// The one node there is: its incarnation without the number.
  private func alive(isDraining: Bool) -> RelayReply {
    let name = String(incarnation.prefix { $0 != ":" })
    return .alive(nodes: [NodeStanding(name, connections: connections, isDraining: isDraining)], expired: [])
  }

  // MARK: Messages

  private mutating func publish(_ publications: [Publication], in name: RoomName) -> [PublishOutcome] {
    let room = open(name)
    let before = rooms[room].cost
    let outcomes = publications.map { publication in
      let digest = LocalDigests.Key(user: publication.userID, room: name, id: publication.clientID)
      if let first = digests.find(digest, now: now.monotonic) {
        return PublishOutcome(position: first, isDuplicate: true)
      }
      let place = rooms[room].append(publication.text, now: now.monotonic, limit: historyMessages)
      digests.insert(digest, place, now: now.monotonic)
      return PublishOutcome(position: place, isDuplicate: false)
    }
    heldBytes += rooms[room].cost - before
    uses.use(room)
    if heldBytes > historyBytes { forgetMost() }
    return outcomes
  }

  private mutating func read(_ name: RoomName, known: Position?) -> RoomRead {
    guard let room = roomNumbers[name] else {
      return RoomRead(room: name, known: known, top: nil, messages: [], isComplete: false)
    }
    let top = rooms[room].top
    guard let known else { return RoomRead(room: name, known: nil, top: top, messages: [], isComplete: true) }
    forgetOld(room)
    let messages = rooms[room].messages(above: known)
    if messages?.isEmpty == false { uses.use(room) }
    return RoomRead(room: name, known: known, top: top, messages: messages ?? [], isComplete: messages != nil)
  }

  private mutating func history(_ name: RoomName, before: Int?, limit: Int) -> RoomHistory {
    guard let room = roomNumbers[name] else { return RoomHistory(top: nil, messages: []) }
    forgetOld(room)
    let messages = rooms[room].messages(before: before ?? .max, limit: limit)
    if !messages.isEmpty { uses.use(room) }
    return RoomHistory(top: rooms[room].top, messages: messages)
  }

  private mutating func open(_ name: RoomName) -> UInt32 {
    if let room = roomNumbers[name] { return room }
    let epoch = String(epochs.next() >> 8, radix: 36)
    let room = rooms.insert(LocalRoom(name: name, epoch: epoch, now: now.monotonic)).slot
    roomNumbers[name] = room
    return room
  }

  private mutating func sweep() {
    let oldest = now.monotonic - historyLifetime
    for room in 0..<UInt32(rooms.slotCount) where rooms.isInUse(room) {
      forgetOld(room)
      guard rooms[room].isIdle(since: oldest) else { continue }
      uses.remove(room)
      roomNumbers[rooms.remove(room).name] = nil
    }
  }

  private mutating func forgetOld(_ room: UInt32) {
    let before = rooms[room].cost
    rooms[room].forget(before: now.monotonic - historyLifetime)
    heldBytes += rooms[room].cost - before
  }

  /// Holds the budget of all rooms together.
  private mutating func forgetMost() {
    while heldBytes > historyBytes, let room = uses.oldest {
      let before = rooms[room].cost
      if !rooms[room].forgetFirst() { uses.remove(room) }
      heldBytes += rooms[room].cost - before
    }
  }

  // MARK: Revocations

  /// Before this second nothing matters any more.
  private var horizon: Int64 { now.wall / 1_000 - Revocation.slack }

  private mutating func revoke(_ wanted: [Revocation]) -> Int {
    revocations.forget(endedBefore: horizon)
    let top = revocations.top
    let refused = wanted.count { !revocations.store($0) }
    if revocations.top > top {
      let frame = #"{"type":"revoked","payload":\#(revocations.top),"node":"local","token":"\#(Self.token)"}"#
      events.append(.frame(Array(frame.utf8)))
    }
    return refused
  }

  // MARK: Presence

  private mutating func apply(_ change: PresenceChange) {
    guard let name = change.room else {
      if change.isJoin { online.insert(UserKey(change.user)) } else { online.remove(UserKey(change.user)) }
      return
    }
    let room = open(name)
    guard let identity = Identity(user: change.user, name: change.name),
      rooms[room].change(identity, isJoin: change.isJoin, now: now), change.isAnnounced
    else { return }
    let envelope = RelayEnvelope.member(
      change.isJoin ? .userJoined : .userLeft, room: name, user: identity,
      timestamp: Timestamp(milliseconds: now.wall), node: "local", scratch: &scratch)
    scratch.removeAll()
    envelope.appendRelayFrame(
      to: &scratch, version: rooms[room].version, count: rooms[room].memberCount, token: Self.token)
    events.append(.frame(scratch.array()))
  }

  private mutating func roster(of name: RoomName) -> Roster {
    rooms[open(name)].roster
  }
}
