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
// A server that is away takes nothing with it but its rooms. A short absence is waited out as with one server; then
// presence that it was not told is accepted all the same, or it would hold up that of all other rooms. Once it is back
// the hub hears that a generation begins, makes everything known again and doubts all rooms, which is right for a
// server that was restarted as well. So a generation is told of all servers, also when it is one server's: what the
// hub remembers of rooms elsewhere is read again, and found to be what it was.
//
// Each server has a token of its own. The hub knows one, which never leaves the process: in the frames, where it stands
// at the end, it is exchanged on the way in and out.

public import Buffers
public import RealtimeCore

/// A ``Relay`` over several Redis servers, each with a ``RedisRelay`` of its own. Driven like one.
public struct SpreadRelay: ~Copyable, Relay {
  /// How long, once one server is there, the others are waited for at the start, in milliseconds.
  private static var startPatience: Int64 { 1_000 }

  private struct Standing {
    /// Of its generation, once it told one.
    var token: [UInt8]?
    var state = RelayState.starting
    var trouble: RelayTrouble?
    var isSubscribed = false
    /// It was not told of all presence.
    var lacksPresence = false

    var isAway: Bool { state == .starting || state == .degraded }
    /// The shortest time between two beginnings that only make presence known again, in milliseconds. Who answers and
    /// has a trouble may well refuse it once more.
    var retellInterval: Int64 { trouble == nil ? 5_000 : 60_000 }
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
  /// When the hub was last told of a generation, and whether that was in this turn.
  private var toldAt: Int64 = .min / 2
  private var hasTold = false
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
    if isBegun, let retellAt { earliest = min(earliest, retellAt) }
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
  /// Of each server, in the order of the list.
  public var states: [RelayState] { standings.map(\.state) }

  private var slots: Range<UInt32> { 0..<UInt32(spread.servers) }

  // MARK: Requests

  public mutating func follow(_ room: RoomName) { servers[slot(of: room)].follow(room) }
  public mutating func unfollow(_ room: RoomName) { servers[slot(of: room)].unfollow(room) }

  public mutating func submit(_ request: RelayRequest, ticket: RelayTicket) {
    switch request {
    case .publish(let room, _), .history(let room, _, _), .roster(let room): submit(request, to: slot(of: room), ticket)
    case .tell(let room, let frame): hand(frame, to: slot(of: room), ticket) { .tell(room, $0) }
    case .broadcast(let frame): hand(frame, to: 0, ticket) { .broadcast($0) }
    case .send(let node, let frame): hand(frame, to: 0, ticket) { .send(node: node, $0) }
    case .countConnections, .countUsers, .online, .revoke, .revocations: submit(request, to: 0, ticket)
    case .heartbeat: submitToAll(request, .lease, ticket)
    case .register: submitToAll(request, .registration, ticket)
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

  /// A frame goes out with the server's token or not at all: the hub's own must not be seen.
  private mutating func hand(
    _ frame: [UInt8], to slot: UInt32, _ ticket: RelayTicket, as request: ([UInt8]) -> RelayRequest
  ) {
    guard let known = standings[Int(slot)].token else { return own.append(.reply(ticket, .failed(.unavailable))) }
    submit(request(exchanged(frame, from: token, to: known)), to: slot, ticket)
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
    hasTold = false
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
      guard let whole = joint.take(reply, of: ticket, from: server, away: leftOut) else { return }
      for server in whole.untold { standings[server].lacksPresence = true }
      own.append(.reply(ticket, whole.reply))
    case .frame(let bytes): own.append(.frame(exchanged(bytes, from: standings[server].token ?? [], to: token)))
    case .directed(let bytes): own.append(.directed(exchanged(bytes, from: standings[server].token ?? [], to: token)))
    case .state(let state): standings[server].state = state
    case .trouble(let trouble): standings[server].trouble = trouble
    case .generation(_, let token):
      standings[server].token = Array(token.utf8)
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
    guard now >= beginBy || standings.allSatisfy({ $0.token != nil && $0.isSubscribed }) else { return }
    isBegun = true
    tellGeneration()
    if standings.contains(where: \.isSubscribed) { own.append(.resubscribed) }
  }

  /// Once in a turn, however many servers begin one: the hub makes everything known again to all who answer.
  private mutating func tellGeneration() {
    guard !hasTold else { return }
    (hasTold, toldAt) = (true, now)
    for slot in slots where servers[slot].isAnswering { standings[Int(slot)].lacksPresence = false }
    joint.beginRound()
    own.append(.generation(id: "spread", token: String(decoding: token, as: UTF8.self)))
  }

  /// A server that was not told of all presence is back: everything is made known again.
  private mutating func retell() {
    if isBegun, let retellAt, now >= retellAt { tellGeneration() }
  }

  /// When the first server that answers, and was not told of all presence, is to be told.
  private var retellAt: Int64? {
    var earliest: Int64?
    for slot in slots where standings[Int(slot)].lacksPresence && servers[slot].isAnswering {
      let due = toldAt + standings[Int(slot)].retellInterval
      earliest = min(earliest ?? due, due)
    }
    return earliest
  }

  /// Servers that are so long away that others do not wait for them. When all are, all is held up, as it is with one.
  private var leftOut: [Int] {
    let away = standings.indices.filter { standings[$0].isAway }
    return away.count < standings.count ? away : []
  }

  /// The relay does as well as the best of its servers, and has the trouble of the first that has one.
  private mutating func report() {
    var best = standings.map(\.state).min { Self.rank($0) < Self.rank($1) } ?? .starting
    if !isBegun, best == .connected || best == .suspect || best == .recovering { best = told.state }
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
