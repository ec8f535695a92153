// SpreadRelay
//
// Several Redis servers as one relay. Rooms are spread over them (RoomSpread): messages, rosters and the presence of a
// room live on its server. Who is online, connection counts, revocations and what is for users or for everybody live
// on the first. Leases are on all of them, because scripts ask for one before they change presence.
//
//     hub ──► one room ──────────────► the room's server
//         ──► users, all, one node ──► the first
//         ──► leases, presence ──────► all, or those concerned; one answer of theirs (JointReplies)
//
// A server that is away takes nothing with it but its rooms. Presence that it was not told is accepted all the same,
// or it would hold up that of all other rooms; once it is back the hub hears that a generation begins, makes everything
// known again and doubts all rooms, which is right for a server that was restarted as well.
//
// Each server has a token of its own. The hub knows one, which never leaves the process: in the frames, where it stands
// at the end, it is exchanged on the way in and out.

public import Buffers
public import RealtimeCore

/// A ``Relay`` over several Redis servers, each with a ``RedisRelay`` of its own. Driven like one.
public struct SpreadRelay: ~Copyable, Relay {
  /// How long, once one server is there, the others are waited for at the start, in milliseconds.
  private static var startPatience: Int64 { 1_000 }
  /// The shortest time between two beginnings that only make presence known again.
  private static var retellInterval: Int64 { 5_000 }

  private struct Standing {
    var token: [UInt8] = []
    var state = RelayState.starting
    var trouble: RelayTrouble?
    var isSubscribed = false
    /// It was not told of all presence.
    var lacksPresence = false
  }

  private let spread: RoomSpread
  private var servers = Slab<RedisRelay>()
  private var standings: [Standing]
  private var joint = JointReplies()
  private let token: [UInt8]
  private var events: [RelayEvent] = []
  private var own: [RelayEvent] = []
  /// The hub was told of a generation.
  private var isBegun = false
  private var beginBy: Int64?
  private var retellAt: Int64 = .min
  private var told = (state: RelayState.starting, trouble: RelayTrouble?.none)
  private var now: Int64 = 0

  /// - Parameters:
  ///   - servers: in the order of the list that all nodes share; at least one.
  ///   - secret: makes as many hexadecimal digits as asked for, which nobody can guess.
  public init(_ servers: consuming Slab<RedisRelay>, secret: (Int) -> String) {
    let (count, slots) = (servers.count, servers.slotCount)
    precondition(count >= 1 && count == slots)
    spread = RoomSpread(servers: count)
    standings = Array(repeating: Standing(), count: count)
    self.servers = servers
    token = Array(secret(32).utf8)
  }

  // MARK: Driving

  public mutating func start(now: Int64) {
    self.now = now
    for slot in slots { servers[slot].start(now: now) }
  }

  public mutating func stop() {
    for slot in slots { servers[slot].stop() }
  }

  public mutating func advance(to now: Int64) {
    self.now = now
    for slot in slots { servers[slot].advance(to: now) }
  }

  /// As with one; `server` counts from 0.
  public mutating func ready(server: Int, _ line: RedisRelay.Line, isReadable: Bool, now: Int64) {
    self.now = now
    servers[UInt32(server)].ready(line, isReadable: isReadable, now: now)
  }

  public mutating func tick(now: Int64) {
    self.now = now
    for slot in slots { servers[slot].tick(now: now) }
  }

  public var nextDeadline: Int64 {
    var earliest = own.isEmpty ? Int64.max : now
    for slot in slots { earliest = min(earliest, servers[slot].nextDeadline) }
    if !isBegun, let beginBy { earliest = min(earliest, beginBy) }
    if lacksPresenceUntold { earliest = min(earliest, retellAt) }
    return earliest
  }

  public mutating func takeNotices() -> [String] {
    var notices: [String] = []
    for slot in slots { notices += servers[slot].takeNotices() }
    return notices
  }

  /// Of all servers together.
  public var counters: RelayCounters {
    var sum = RelayCounters()
    for slot in slots { sum.add(servers[slot].counters) }
    return sum
  }

  public var state: RelayState { told.state }

  private var slots: Range<UInt32> { 0..<UInt32(spread.servers) }

  // MARK: Requests

  public mutating func follow(_ room: RoomName) { servers[slot(of: room)].follow(room) }
  public mutating func unfollow(_ room: RoomName) { servers[slot(of: room)].unfollow(room) }

  public mutating func submit(_ request: RelayRequest, ticket: RelayTicket) {
    switch request {
    case .publish(let room, _), .history(let room, _, _), .roster(let room): submit(request, to: slot(of: room), ticket)
    case .tell(let room, let frame):
      let slot = slot(of: room)
      submit(.tell(room, exchanged(frame, from: token, to: standings[Int(slot)].token)), to: slot, ticket)
    case .broadcast(let frame):
      submit(.broadcast(exchanged(frame, from: token, to: standings[0].token)), to: 0, ticket)
    case .send(let node, let frame):
      submit(.send(node: node, exchanged(frame, from: token, to: standings[0].token)), to: 0, ticket)
    case .countConnections, .countUsers, .online, .revoke, .revocations: submit(request, to: 0, ticket)
    case .heartbeat, .register: submitToAll(request, .lease, ticket)
    case .depart: submitToAll(request, .departure, ticket)
    case .reap: submitToAll(request, .reaping, ticket)
    case .read(let rooms): read(rooms, ticket)
    case .changePresence(let incarnation, let changes): change(incarnation, changes, ticket)
    }
  }

  private func slot(of room: RoomName) -> UInt32 { UInt32(spread.server(of: room)) }

  private mutating func submit(_ request: RelayRequest, to slot: UInt32, _ ticket: RelayTicket) {
    servers[slot].submit(request, ticket: ticket)
  }

  private mutating func submitToAll(_ request: RelayRequest, _ kind: JointReplies.Kind, _ ticket: RelayTicket) {
    joint.begin(ticket, kind, servers: spread.servers)
    for slot in slots { submit(request, to: slot, ticket) }
  }

  private mutating func read(_ rooms: [(room: RoomName, known: Position?)], _ ticket: RelayTicket) {
    var parts = [[(room: RoomName, known: Position?)]](repeating: [], count: spread.servers)
    let order = rooms.map { spread.server(of: $0.room) }
    for (room, server) in zip(rooms, order) { parts[server].append(room) }
    let concerned = slots.filter { !parts[Int($0)].isEmpty }
    // Nothing asked is still a question.
    guard concerned.count > 1 else { return submit(.read(rooms), to: concerned.first ?? 0, ticket) }
    joint.begin(ticket, .reading(order: order), servers: concerned.count)
    for slot in concerned { submit(.read(parts[Int(slot)]), to: slot, ticket) }
  }

  private mutating func change(_ incarnation: String, _ changes: [PresenceChange], _ ticket: RelayTicket) {
    var parts = [[PresenceChange]](repeating: [], count: spread.servers)
    for change in changes { parts[change.room.map { spread.server(of: $0) } ?? 0].append(change) }
    let concerned = slots.filter { !parts[Int($0)].isEmpty }
    joint.begin(ticket, .presence, servers: max(1, concerned.count))
    if concerned.isEmpty { return submit(.changePresence(incarnation: incarnation, []), to: 0, ticket) }
    for slot in concerned { submit(.changePresence(incarnation: incarnation, parts[Int(slot)]), to: slot, ticket) }
  }

  // MARK: Events

  public mutating func takeEvents(into events: inout [RelayEvent]) {
    for slot in slots {
      servers[slot].takeEvents(into: &self.events)
      for event in self.events { take(event, from: Int(slot)) }
      self.events.removeAll(keepingCapacity: true)
    }
    begin()
    retell()
    report()
    events.append(contentsOf: own)
    own.removeAll(keepingCapacity: true)
  }

  private mutating func take(_ event: RelayEvent, from server: Int) {
    switch event {
    case .reply(let ticket, let reply):
      guard joint.contains(ticket) else { return own.append(event) }
      guard let whole = joint.take(reply, of: ticket, from: server) else { return }
      for server in whole.untold { standings[server].lacksPresence = true }
      own.append(.reply(ticket, whole.reply))
    case .frame(let bytes): own.append(.frame(exchanged(bytes, from: standings[server].token, to: token)))
    case .directed(let bytes): own.append(.directed(exchanged(bytes, from: standings[server].token, to: token)))
    case .state(let state): standings[server].state = state
    case .trouble(let trouble): standings[server].trouble = trouble
    case .generation(_, let token):
      standings[server].token = Array(token.utf8)
      standings[server].lacksPresence = false
      if isBegun { tellGeneration() } else { beginBy = beginBy ?? now + Self.startPatience }
    case .resubscribed:
      standings[server].isSubscribed = true
      if isBegun { own.append(event) }
    case .followed: own.append(event)
    }
  }

  /// The hub hears of a generation when all servers are there, or some while after the first.
  private mutating func begin() {
    guard !isBegun, let beginBy else { return }
    guard now >= beginBy || standings.allSatisfy({ !$0.token.isEmpty && $0.isSubscribed }) else { return }
    isBegun = true
    tellGeneration()
    if standings.contains(where: \.isSubscribed) { own.append(.resubscribed) }
  }

  private mutating func tellGeneration() {
    own.append(.generation(id: "spread", token: String(decoding: token, as: UTF8.self)))
  }

  /// A server that was not told of all presence is back: everything is made known again.
  private mutating func retell() {
    guard isBegun, now >= retellAt, lacksPresenceUntold else { return }
    for slot in slots where servers[slot].isAnswering { standings[Int(slot)].lacksPresence = false }
    retellAt = now + Self.retellInterval
    tellGeneration()
  }

  /// A server that answers again lacks presence.
  private var lacksPresenceUntold: Bool {
    slots.contains { standings[Int($0)].lacksPresence && servers[$0].isAnswering }
  }

  /// The relay does as well as the best of its servers, and has the trouble of the first that has one.
  private mutating func report() {
    var best = standings.map(\.state).min { Self.rank($0) < Self.rank($1) } ?? .starting
    if !isBegun, best == .connected || best == .suspect || best == .recovering { best = .starting }
    if best != told.state {
      told.state = best
      own.append(.state(best))
    }
    let trouble = standings.lazy.compactMap(\.trouble).first
    if trouble != told.trouble {
      told.trouble = trouble
      own.append(.trouble(trouble))
    }
  }

  private static func rank(_ state: RelayState) -> Int {
    switch state {
    case .connected: 0
    case .suspect: 1
    case .recovering: 2
    case .starting: 3
    case .degraded: 4
    }
  }

  // MARK: Tokens

  /// The frame with one token for the other, where it ends with it: `…"token":"<32>"}`.
  private func exchanged(_ frame: [UInt8], from old: [UInt8], to new: [UInt8]) -> [UInt8] {
    let place = frame.count - 2 - old.count
    guard place > 0, old.count == new.count, !old.isEmpty, frame[place..<frame.count - 2].elementsEqual(old) else {
      return frame
    }
    var frame = frame
    frame.replaceSubrange(place..<place + old.count, with: new)
    return frame
  }
}
