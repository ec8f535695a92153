import Buffers

// LocalRelay
//
// The relay of a node that has no Redis: the same promises, from memory, until the process ends. A request is
// answered before `submit` returns, so nothing is ever in flight and nothing fails.
//
// A room that nobody uses is forgotten after its history's lifetime. It may begin again, and must not be taken for
// the room it was: its epoch is a new one.

/// Numbers, stores and counts for one node without Redis.
public struct LocalRelay: ~Copyable, Relay {
  private static var token: String { "local" }
  private static var sweepInterval: Int64 { 60_000 }

  private let historyMessages: Int
  private let historyLifetime: Int64
  private var epochs: Chance
  private var events: [RelayEvent] = []
  private var rooms: [RoomName: LocalRoom] = [:]
  private var online: Set<String> = []
  private var connections = 0
  private var incarnation = ""
  private var digests = LocalDigests()
  private var now: Now
  private var nextSweep: Int64
  private var scratch = ByteBuffer()

  /// - Parameters:
  ///   - seed: makes the epochs, which must differ between processes.
  ///   - historyMessages: messages kept per room.
  ///   - historySeconds: how long a message is kept.
  public init(seed: UInt64, historyMessages: Int = 300, historySeconds: Int = 3_600, now: Now) {
    epochs = Chance(seed: seed)
    self.historyMessages = historyMessages
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
    case .history: return .failed(.unavailable)
    case .changePresence(let incarnation, let changes):
      guard incarnation == self.incarnation else { return .fenced }
      for change in changes { apply(change) }
      return .presenceChanged
    case .countConnections(let incarnation, let count):
      guard incarnation == self.incarnation else { return .fenced }
      connections = count
      return .presenceChanged
    case .heartbeat(let incarnation, let count):
      guard incarnation == self.incarnation else { return .fenced }
      connections = count
      return .alive(nodes: [incarnation], expired: [])
    case .register(let incarnation, _, let count):
      (self.incarnation, connections) = (incarnation, count)
      return .alive(nodes: [incarnation], expired: [])
    case .depart:
      connections = 0
      return .presenceChanged
    case .reap: return .reaped(isDone: true)
    case .roster(let room): return .roster(roster(of: room))
    case .online: return .online(connections: connections, users: online.count, nodes: 1)
    case .broadcast(let frame):
      events.append(.frame(frame))
      return .sent(receivers: 1)
    case .send(_, let frame):
      events.append(.directed(frame))
      return .sent(receivers: 1)
    }
  }

  // MARK: Messages

  private mutating func publish(_ publications: [Publication], in name: RoomName) -> [PublishOutcome] {
    open(name)
    return publications.map { publication in
      let digest = LocalDigests.Key(user: publication.userID, room: name, id: publication.clientID)
      if let first = digests.find(digest, now: now.monotonic) {
        return PublishOutcome(position: first, isDuplicate: true)
      }
      let place = rooms[name]!.append(publication.text, now: now.monotonic, limit: historyMessages)
      digests.insert(digest, place, now: now.monotonic)
      return PublishOutcome(position: place, isDuplicate: false)
    }
  }

  private func read(_ name: RoomName, known: Position?) -> RoomRead {
    guard let room = rooms[name] else {
      return RoomRead(room: name, known: known, top: nil, messages: [], isComplete: false)
    }
    guard let known else { return RoomRead(room: name, known: nil, top: room.top, messages: [], isComplete: true) }
    let messages = room.messages(above: known)
    return RoomRead(room: name, known: known, top: room.top, messages: messages ?? [], isComplete: messages != nil)
  }

  private mutating func open(_ name: RoomName) {
    guard rooms[name] == nil else { return }
    rooms[name] = LocalRoom(epoch: String(epochs.next() >> 8, radix: 36), now: now.monotonic)
  }

  private mutating func sweep() {
    let oldest = now.monotonic - historyLifetime
    for name in Array(rooms.keys) {
      rooms[name]!.forget(before: oldest)
      if rooms[name]!.isIdle(since: oldest) { rooms[name] = nil }
    }
  }

  // MARK: Presence

  private mutating func apply(_ change: PresenceChange) {
    guard let name = change.room else {
      if change.isJoin { online.insert(change.user) } else { online.remove(change.user) }
      return
    }
    open(name)
    guard let identity = Identity(user: change.user, name: change.name),
      rooms[name]!.change(identity, isJoin: change.isJoin, now: now), change.isAnnounced
    else { return }
    let envelope = RelayEnvelope.member(
      change.isJoin ? .userJoined : .userLeft, room: name, user: identity,
      timestamp: Timestamp(milliseconds: now.wall), node: "local", scratch: &scratch)
    scratch.removeAll()
    envelope.appendRelayFrame(
      to: &scratch, version: rooms[name]!.version, count: rooms[name]!.memberCount, token: Self.token)
    events.append(.frame(scratch.array()))
  }

  private mutating func roster(of name: RoomName) -> Roster {
    open(name)
    return rooms[name]!.roster
  }
}
