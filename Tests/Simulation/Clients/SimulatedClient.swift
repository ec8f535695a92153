import RealtimeCore

/// A correct client of SPEC 2: remembers positions, sends again with the same id, comes back with `since`. It also
/// checks everything it hears against what really happened.
final class SimulatedClient {
  enum Phase { case away, connecting, open }

  let number: Int
  let user: Int
  let world: World
  let ledger: Ledger
  unowned let cluster: Cluster
  var phase = Phase.away
  var session: ClientSession?
  /// The one it came with last, or will come with.
  var token: Int
  /// Counts the client's connections.
  var connection = 0
  var views: [RoomView]
  /// Only comes back, joins and sends again; does nothing new.
  var isCalm = false

  init(number: Int, user: Int, rooms: Int, cluster: Cluster) {
    (self.number, self.user, self.cluster) = (number, user, cluster)
    (world, ledger) = (cluster.world, cluster.ledger)
    token = cluster.ledger.tokens.next()
    views = Array(repeating: RoomView(), count: rooms)
  }

  var name: String { "c\(number)/u\(user)" }

  func note(_ what: @autoclosure () -> String) { world.trace.note(name, what()) }

  // MARK: Life

  /// Does something, again and again.
  func live(every pace: Int) {
    world.after(Int64(world.dice.roll(1...2 * (isCalm ? 300 : pace))) * 1_000) { [weak self] in
      self?.act()
      self?.live(every: pace)
    }
  }

  private func act() {
    checkJoins()
    guard !isCalm else { return settle() }
    guard phase == .open else { return connectIfAway() }
    let room = world.dice.roll(0...views.count - 1)
    switch world.dice.roll(0...99) {
    case ..<60: send(to: room)
    case ..<74: join(room)
    case ..<80: leave(room)
    case ..<82: session!.say(.askOnlineUsers(session!.id, cluster.rooms[room], id: Array("o\(room)".utf8)))
    case ..<87: goAway(for: world.dice.chance(50) ? 0 : world.dice.roll(10...4_000))
    default: break
    }
  }

  /// Rule 17: a join is answered within five seconds, whatever the relay does.
  private func checkJoins() {
    guard phase == .open, let node = session?.node, node.phase == .running else { return }
    for (room, view) in views.enumerated() where view.stage == .joining {
      if world.now - max(view.since, node.resumedAt) > 6_000 {
        ledger.fail(.answered, "\(name) has waited \(world.now - view.since) ms for its way into r\(room)")
      }
    }
  }

  /// Without anything new: everybody where he means to be.
  private func settle() {
    guard phase == .open else { return connectIfAway() }
    for room in views.indices where views[room].isWanted && views[room].stage == .outside { join(room) }
  }

  func connectIfAway() {
    guard phase == .away, let node = world.dice.pick(cluster.openNodes) else { return }
    phase = .connecting
    connection += 1
    let session = ClientSession(id: cluster.nextConnectionID(), client: self, node: node, token: token)
    self.session = session
    note("connects to \(node.name) as \(session.id.rawValue & 0xFFFF_FFFF)")
    session.say(.connect(session.id, Identity(user: "u\(user)", name: "")!, TokenLedger.stamp(token)))
  }

  /// Closes the connection and comes back later.
  private func goAway(for milliseconds: Int) {
    note("goes away for \(milliseconds) ms")
    session?.close()
    forgetConnection()
    world.after(Int64(milliseconds) * 1_000) { [weak self] in self?.connectIfAway() }
  }

  /// The node closed the connection, or died.
  func lost() {
    guard phase != .away else { return }
    note("lost its connection")
    session?.end()
    forgetConnection()
    world.after(Int64(world.dice.roll(0...1_500)) * 1_000) { [weak self] in self?.connectIfAway() }
  }

  /// The node says that its token is revoked: it needs another.
  func tokenRevoked(_ revoked: Int, by node: String) {
    ledger.count(\.revoked)
    if !ledger.tokens.isRevoked(revoked, of: user) {
      ledger.fail(.revocations, "\(node) calls token \(revoked) of \(name) revoked, which nobody has")
    }
    if token == revoked { token = ledger.tokens.next() }
  }

  private func forgetConnection() {
    phase = .away
    session = nil
    for room in views.indices {
      views[room].stage = .outside
      views[room].asked = nil
      // What had no id is never known to have arrived, and never sent again.
      views[room].unacked.removeAll { !ledger.messages[$0].hasID }
    }
  }

  // MARK: Saying

  func join(_ room: Int) {
    guard phase == .open, let session, views[room].stage == .outside else { return }
    views[room].isWanted = true
    views[room].stage = .joining
    views[room].since = world.now
    views[room].asked = isCalm || world.dice.chance(85) ? views[room].position : nil
    if !isCalm, world.dice.chance(4) { views[room].asked = forged(room) }
    let wish = JoinWish(since: views[room].asked)
    note("joins r\(room) since \(wish.since.map { "\($0)" } ?? "nothing")")
    session.say(.join(session.id, cluster.rooms[room], wish, id: Array("j\(room)".utf8)))
  }

  /// A position that the client never had.
  private func forged(_ room: Int) -> Position {
    let epoch = views[room].position?.epoch ?? "nonsense"
    return world.dice.chance(30)
      ? Position(epoch: "nonsense", offset: world.dice.roll(0...50))
      : Position(epoch: epoch, offset: world.dice.roll(0...(views[room].position?.offset ?? 0) + 20))
  }

  func leave(_ room: Int) {
    guard let session, views[room].stage == .inside, phase == .open else { return }
    note("leaves r\(room)")
    views[room].isWanted = false
    views[room].stage = .leaving
    session.say(.leave(session.id, cluster.rooms[room], id: Array("l\(room)".utf8)))
    if world.dice.chance(30) { views[room].isWanted = true }  // and comes back as soon as it is out
  }

  func send(to room: Int) {
    guard phase == .open, views[room].stage == .inside || views[room].stage == .joining else { return join(room) }
    guard views[room].unacked.count < 4 else { return }
    let content = ledger.newMessage(
      room: room, client: number, connection: connection, hasID: world.dice.chance(85))
    views[room].unacked.append(content)
    say(content)
  }

  private func say(_ content: Int) {
    guard let session else { return }
    let message = ledger.messages[content]
    let payload = Array(String(content).utf8)
    let id = message.hasID ? Array("m\(content)".utf8) : []
    note("sends \(content) to r\(message.room)\(message.isRetried ? " again" : "")")
    let text = ClientText(
      bytes: payload + id, payload: 0..<payload.count, id: payload.count..<payload.count + id.count)
    session.say(.send(session.id, cluster.rooms[message.room], text))
  }

  /// Sends again, with the same id, what has no answer: the outcome is unknown.
  func sendAgain(_ content: Int) {
    let room = ledger.messages[content].room
    guard phase == .open, views[room].stage == .inside, views[room].refused.remove(content) != nil else { return }
    guard views[room].unacked.contains(content) else { return }
    ledger.retried(content)
    say(content)
  }
}

extension SimulatedClient {
  /// One message to every room it is in: who cannot is not served.
  func sendEverywhere() {
    for room in views.indices where views[room].stage == .inside { send(to: room) }
  }
}
