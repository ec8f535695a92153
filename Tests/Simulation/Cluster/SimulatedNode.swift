import Buffers
import RealtimeCore
import RedisRelay

/// One node: the real hub and the real relay over one Redis or several, and as much of a shard as members need.
///
/// A turn is what `HubHost` does in a real node: what arrived, commands, time, then events and actions until nobody has
/// anything to say.
final class SimulatedNode {
  enum Phase { case running, paused, draining, dead }

  let world: World
  let ledger: Ledger
  let name: String
  private(set) var phase = Phase.running
  var hub: Hub
  var relay: NodeRelay
  /// To each server.
  let wires: [Wires]
  let doorbell: Doorbell

  var inbox: [HubCommand] = []
  var sessions: [ConnectionID: ClientSession] = [:]
  /// Sessions with something to send at the end of the turn.
  var toFlush: [ClientSession] = []
  var members: [RoomNumber: [ConnectionID]] = [:]
  /// When a connection last came into each room (ms).
  var entries: [RoomName: Int64] = [:]
  /// Questions to the relay, and when they were asked.
  var unanswered: [RelayTicket: Int64] = [:]
  var onlineAnswers: [OnlineAnswer] = []
  /// What backends revoked here: it must never be forgotten while the node lives.
  var revoked: Set<[UInt8]> = []
  /// The name under which it last registered.
  var incarnation = ""
  /// When the node was last paused or cut off from each server; before, its members there cannot be counted upon.
  var steadySince: [Int64]
  var knownStates: [RelayState]

  var plannedAt = Int64.max
  private var turn = 0
  var idleTurns = 0

  /// When the node last woke from a pause (ms).
  private(set) var resumedAt: Int64 = 0

  struct Wires {
    let command: SimulatedWire
    let subscriber: SimulatedWire
  }

  /// Where the wires say that they have something; apart, because they are made before the node.
  final class Doorbell {
    weak var node: SimulatedNode?
    /// Whether there is something to read, by places.
    var rung: [Bool?]

    init(places: Int) { rung = Array(repeating: nil, count: places) }

    func ring(_ place: Int, isReadable: Bool) {
      rung[place] = isReadable || rung[place] == true
      node?.wake(in: 20)
    }
  }

  /// - Parameter settings: for each of the servers.
  init(
    name: String, servers: [SimulatedServer], ledger: Ledger, settings: [RedisRelayConfiguration],
    secrets: SimulatedSecrets
  ) {
    (self.name, self.ledger, world) = (name, ledger, ledger.world)
    let doorbell = Doorbell(places: 2 * servers.count)
    self.doorbell = doorbell
    wires = servers.map { server in
      func wire(_ line: String, _ place: Int) -> SimulatedWire {
        let label = "\(name).\(line)" + (servers.count == 1 ? "" : "\(server.number)")
        return SimulatedWire(network: server.network, name: label) { doorbell.ring(place, isReadable: $0) }
      }
      return Wires(command: wire("cmd", 2 * server.number), subscriber: wire("sub", 2 * server.number + 1))
    }
    steadySince = Array(repeating: 0, count: servers.count)
    knownStates = Array(repeating: .starting, count: servers.count)
    var configuration = HubConfiguration(instance: name)
    configuration.rate = nil
    configuration.followsRooms = settings[0].topology == .rooms
    configuration.spread = RoomSpread(servers: servers.count)
    let clock = world.clock
    let now = Now(monotonic: clock.milliseconds, wall: clock.wall)
    hub = Hub(configuration, seed: world.dice.next(), now: now)
    let surroundings = RelaySurroundings(
      secret: { secrets.hexadecimal($0) }, wallClock: { clock.wall }, wake: {})
    relay = Self.relay(settings, wires, surroundings, world)
    doorbell.node = self
    relay.start(now: now)
    wake(in: 0)
  }

  private static func relay(
    _ settings: [RedisRelayConfiguration], _ wires: [Wires], _ surroundings: RelaySurroundings, _ world: World
  ) -> NodeRelay {
    func part(_ number: Int) -> RedisRelay {
      RedisRelay(
        configuration: settings[number], command: wires[number].command, subscriber: wires[number].subscriber,
        surroundings: surroundings, seed: world.dice.next())
    }
    guard settings.count > 1 else { return NodeRelay(part(0)) }
    var parts = Slab<RedisRelay>()
    for number in settings.indices { _ = parts.insert(part(number)) }
    return NodeRelay(SpreadRelay(parts, secret: surroundings.secret))
  }

  var isAlive: Bool { phase != .dead }
  var takesClients: Bool { phase == .running || phase == .paused }
  var connectionCount: Int { sessions.count }

  // MARK: Clients

  /// A client's handshake or message arrives.
  func take(_ command: HubCommand, from session: ClientSession) {
    guard isAlive, phase != .draining || sessions[session.id] != nil else {
      if case .connect = command { session.lostByNode() }
      return
    }
    switch command {
    case .connect(let id, _, _): sessions[id] = session
    case .disconnect(let id, _): forget(id)
    case .sendAway: break
    default: guard sessions[session.id] != nil, session.isHeard else { return }
    }
    inbox.append(command)
    wake(in: Int64(world.dice.roll(0...60)))
  }

  /// Somebody asks over HTTP how many are online.
  func askOnline() {
    onlineAnswers = []
    inbox.append(.askOnline(ConnectionID(shard: 0, generation: 0, slot: .max)))
    wake(in: 0)
  }

  /// A backend asks for it.
  func revoke(_ revocation: Revocation) {
    inbox.append(.revoke(ConnectionID(shard: 0, generation: 0, slot: .max), [revocation]))
    wake(in: 0)
  }

  /// The hub ends the session of a revoked token.
  func endRevoked(_ id: ConnectionID, isClosed: Bool) {
    guard let session = sessions[id] else { return }
    world.trace.note(name, "\(isClosed ? "closes" : "refuses") \(session.client.name): revoked")
    session.client.tokenRevoked(session.token, by: name)
    if isClosed { inbox.append(.disconnect(id, .left)) }
    forget(id)
    session.lostByNode()
    wake(in: 0)
  }

  private func forget(_ id: ConnectionID) {
    sessions[id] = nil
    for room in members.keys { members[room]!.removeAll { $0 == id } }
  }

  // MARK: Fate

  func kill() {
    guard isAlive else { return }
    world.trace.note(name, "killed")
    phase = .dead
    for wire in wires {
      wire.command.close()
      wire.subscriber.close()
    }
    for session in sessions.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) { session.lostByNode() }
    (sessions, members, inbox) = ([:], [:], [])
  }

  func pause() {
    guard phase == .running else { return }
    world.trace.note(name, "paused")
    phase = .paused
  }

  func resume() {
    guard phase == .paused else { return }
    world.trace.note(name, "goes on")
    phase = .running
    resumedAt = world.now
    for server in steadySince.indices { steadySince[server] = world.now }
    wake(in: 0)
  }

  /// Tells the hub that the node drains, sends its connections away over a window, says that it is gone, and ends.
  func drain(window: Int64) {
    guard phase == .running else { return }
    world.trace.note(name, "drains")
    phase = .draining
    inbox.append(.beginDrain)
    wake(in: 0)
    for session in sessions.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
      world.after(Int64(world.dice.roll(0...Int(window))) * 1_000) { [weak self, weak session] in
        guard let self, let session, isAlive, sessions[session.id] != nil else { return }
        // What is said from now on is not read; what was said before is answered.
        session.isHeard = false
        take(.sendAway(session.id), from: session)
      }
    }
    departWhenEmpty(by: world.now + window + 6_500)
  }

  /// The last one goes when nobody is owed anything, or the time is over.
  private func departWhenEmpty(by deadline: Int64) {
    world.after(50_000) { [weak self] in
      guard let self, isAlive else { return }
      guard sessions.isEmpty || world.now >= deadline else { return departWhenEmpty(by: deadline) }
      inbox.append(.depart(graceMilliseconds: 3_000))
      wake(in: 0)
      world.after(500_000) { [weak self] in self?.kill() }
    }
  }

  /// The hub has nothing more for a connection that is to go.
  func endSentAway(_ id: ConnectionID) {
    guard let session = sessions[id] else { return }
    world.trace.note(name, "sends \(session.client.name) away")
    inbox.append(.disconnect(id, .sentAway))
    forget(id)
    session.lostByNode()
    wake(in: 0)
  }

  // MARK: Turns

  func wake(in microseconds: Int64) {
    let time = world.clock.microseconds + max(0, microseconds)
    guard phase == .running || phase == .draining, time < plannedAt else { return }
    plannedAt = time
    turn += 1
    let number = turn
    world.after(microseconds) { [weak self] in
      guard let self, number == turn else { return }
      takeTurn()
    }
  }
}
