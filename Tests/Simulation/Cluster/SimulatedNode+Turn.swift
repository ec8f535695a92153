import Buffers
import RealtimeCore
import RedisRelay

/// One turn: what happened goes to the hub, what the hub wants done is done.
extension SimulatedNode {
  func takeTurn() {
    plannedAt = .max
    guard phase == .running || phase == .draining else { return }
    let now = Now(monotonic: world.clock.milliseconds, wall: world.clock.wall)
    let isIdle = inbox.isEmpty && doorbell.rung.allSatisfy { $0 == nil }
    idleTurns = isIdle ? idleTurns + 1 : 0
    if idleTurns > 1_000 { ledger.fail(.calm, "\(name) takes turn after turn without anything to do") }
    relay.advance(to: now)
    tellWires(now)
    var commands: [HubCommand] = []
    swap(&commands, &inbox)
    for command in commands {
      if case .revoke(_, let wanted) = command { revoked.formUnion(wanted.map(\.key)) }
      hub.handle(command, now: now)
    }
    if let due = hub.nextDeadline, due <= now.monotonic { hub.tick(now: now) }
    var events: [RelayEvent] = []
    var rounds = 0
    repeat {
      relay.takeEvents(into: &events)
      for event in events { take(event, now) }
      events.removeAll()
      hub.endTurn(now: now)
      perform()
      relay.endTurn(now: now)
      relay.takeEvents(into: &events)
      rounds += 1
    } while !events.isEmpty && rounds < 1_000
    noteStates()
    if rounds == 1_000 { ledger.fail(.calm, "\(name) does not end its turn") }
    for notice in relay.takeNotices() { world.trace.note(name, notice) }
    for session in toFlush { session.flush() }
    toFlush.removeAll()
    checkBounds()
    let due = min(hub.nextDeadline ?? .max, relay.nextDeadline ?? .max)
    if due < .max { wake(in: max(100, due * 1_000 - world.clock.microseconds)) }
  }

  private func tellWires(_ now: Now) {
    for place in doorbell.rung.indices {
      guard let isReadable = doorbell.rung[place] else { continue }
      doorbell.rung[place] = nil
      relay.ready(place: place, isReadable: isReadable, now: now)
    }
  }

  /// Since when members of each server's rooms may be counted upon.
  private func noteStates() {
    let states = relay.states
    for server in states.indices where states[server] != knownStates[server] {
      steadySince[server] = states[server] == .connected ? world.now : .max
      if states.count > 1 { world.trace.note(name, "server \(server) \(states[server])") }
    }
    knownStates = states
  }

  private func take(_ event: RelayEvent, _ now: Now) {
    switch event {
    case .reply(let ticket, let reply):
      if unanswered.removeValue(forKey: ticket) == nil { ledger.fail(.answered, "\(name) got two answers for one") }
      if world.trace.isOn, case .failed(let why) = reply { world.trace.note(name, "question \(ticket) failed: \(why)") }
    case .resubscribed, .followed, .generation:
      world.trace.note(name, "\(event)")
    case .state(let state): world.trace.note(name, "relay \(state)")
    case .frame, .directed, .trouble: break
    }
    hub.handle(event, now: now)
  }

  private func checkBounds() {
    let report = hub.report
    if report.pendingMessages > 1_000 { ledger.fail(.bounded, "\(name) holds \(report.pendingMessages) messages") }
    if unanswered.count > 4_096 { ledger.fail(.bounded, "\(name) waits for \(unanswered.count) answers") }
  }

  // MARK: Actions

  private func perform() {
    var output = HubOutput()
    swap(&output, &hub.output)
    let text = output.text.array()
    for action in output.actions { perform(action, text) }
    output.removeAll()
    swap(&output, &hub.output)
  }

  private func perform(_ action: HubAction, _ text: [UInt8]) {
    switch action {
    case .admit(let id, let user):
      sessions[id]?.userNumber = user
      tell(id, Heard(kind: .admitted))
    case .refuse(let id, .revoked): endRevoked(id, isClosed: false)
    case .refuse(let id, let refusal): ledger.fail(.keptConnections, "\(name) refused \(id): \(refusal)")
    case .text(let id, let range): tell(id, Heard(Array(text[range])))
    case .enter(let id, let room, let name, let range):
      entries[name] = world.now
      if sessions[id] != nil, members[room]?.contains(id) != true { members[room, default: []].append(id) }
      tell(id, Heard(Array(text[range])))
    case .exit(let id, let room, _, let range):
      members[room]?.removeAll { $0 == id }
      tell(id, Heard(Array(text[range])))
    case .item(let room, let item): spread(item, members[room] ?? [], text)
    case .replay(let id, let replay): self.replay(replay, to: id)
    case .resync(let id, _, let range): tell(id, Heard(Array(text[range])))
    case .forget(let room): members[room] = nil
    case .everyone: break
    case .close(let id, .revoked): endRevoked(id, isClosed: true)
    case .close(let id, .sentAway): endSentAway(id)
    case .close(let id, let cause):
      ledger.fail(.keptConnections, "\(name) closes \(id): \(cause)")
    case .refreshed, .backend, .drain, .shed: break
    case .online(_, let answer): onlineAnswers.append(answer)
    case .relay(let request, let ticket):
      unanswered[ticket] = world.now
      if world.trace.isOn { note(request, ticket) }
      if case .register(let incarnation, _, _) = request { self.incarnation = incarnation }
      relay.submit(request, ticket: ticket)
    case .follow(let room): relay.follow(room)
    case .unfollow(let room): relay.unfollow(room)
    case .notice(let notice): world.trace.note(name, "\(notice)")
    }
  }

  private func note(_ request: RelayRequest, _ ticket: RelayTicket) {
    switch request {
    case .heartbeat, .countConnections: break
    default: world.trace.note(name, "asks \(ticket): \("\(request)".prefix(100))")
    }
  }

  private func tell(_ id: ConnectionID, _ heard: @autoclosure () -> Heard) {
    if let session = sessions[id] { tell(session, heard()) }
  }

  private func tell(_ session: ClientSession, _ heard: Heard) {
    if session.outgoing.isEmpty { toFlush.append(session) }
    session.outgoing.append(heard)
  }

  /// What was missed, then word that it has left.
  private func replay(_ replay: Replay, to id: ConnectionID) {
    guard let session = sessions[id] else { return }
    for message in replay.messages {
      var text = ByteBuffer()
      replay.append(message, to: &text)
      tell(session, Heard(text.array()))
    }
    inbox.append(.replayDrained(id))
    wake(in: 50)
  }

  private func spread(_ item: RoomItem, _ members: [ConnectionID], _ text: [UInt8]) {
    guard !members.isEmpty else { return }
    let common = Heard(Array(text[item.text]))
    for id in members {
      guard let session = sessions[id] else { continue }
      if id == item.origin {
        if let ack = item.ack { tell(session, Heard(Array(text[ack]))) }
      } else if let user = item.ownUser, user == session.userNumber {
        if let own = item.ownText { tell(session, Heard(Array(text[own]))) }
      } else {
        tell(session, common)
      }
    }
  }
}
