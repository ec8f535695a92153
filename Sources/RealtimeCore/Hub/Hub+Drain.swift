import Buffers

// A node goes, or has too many connections. Shards send their clients away, each in its turn; the hub sees to it that
// none goes before everything it said has its answer, and that nobody seems to leave who comes back on another node.
//
//     beginDrain ─► heartbeat says "draining"
//     sendAway(connection) ─► close(connection, sentAway) ─► disconnect(connection, sentAway)      again and again
//     depart ─► no lease, no counts; what is left of the undo list is reaped by others when it is due

/// Connections that must go and whose clients have no answer yet to something they said.
struct Partings {
  /// How long one waits, in milliseconds: until then everything that waits for the relay is answered or refused.
  static let patience = Hub.publishPatience + 500
  /// How soon one looks again, in milliseconds, when nothing happened.
  static let interval: Int64 = 20
  /// How many are looked at in a turn.
  static let looks = 64

  private var waiting: [(connection: ConnectionID, until: Int64)] = []
  private var head = 0
  fileprivate(set) var nextLook: Int64?

  var count: Int { waiting.count - head }

  mutating func append(_ connection: ConnectionID, until: Int64) { waiting.append((connection, until)) }

  mutating func popFirst() -> (connection: ConnectionID, until: Int64)? {
    guard head < waiting.count else { return nil }
    head += 1
    let first = waiting[head - 1]
    if head == waiting.count || head >= 1_024 {
      waiting.removeFirst(head)
      head = 0
    }
    return first
  }
}

extension Hub {
  mutating func beginDrain(now: Now) {
    guard !presence.isDraining else { return }
    presence.isDraining = true
    presence.heartbeatAt = min(presence.heartbeatAt, now.monotonic)
  }

  mutating func sendAway(_ connection: ConnectionID, now: Now) {
    partings.append(connection, until: now.monotonic + Partings.patience)
  }

  /// Ends connections that are owed nothing any more, or have waited too long.
  mutating func partFromAnswered(now: Now) {
    guard partings.count > 0 else { return }
    for _ in 0..<min(partings.count, Partings.looks) {
      guard let (connection, until) = partings.popFirst() else { break }
      guard connections[connection] != nil else { continue }
      if now.monotonic < until, owes(connection) {
        partings.append(connection, until: until)
      } else {
        output.actions.append(.close(connection, .sentAway))
      }
    }
    partings.nextLook = partings.count > 0 ? now.monotonic + Partings.interval : nil
  }

  /// Whether something that the connection said has no answer yet.
  private func owes(_ connection: ConnectionID) -> Bool {
    guard let record = connections[connection] else { return false }
    if !record.entering.isEmpty || !record.rejoining.isEmpty || gatherings.owes(connection) { return true }
    for number in record.rooms {
      if rooms[number].outbox?.owes(connection) == true { return true }
      if rooms[number].awaitingTurn.contains(where: { $0.message.origin == connection }) { return true }
      if rooms[number].askers.contains(where: { $0.connection == connection }) { return true }
    }
    return questions.values.contains { question in
      switch question {
      case .history(connection, _, _), .chat(connection, _): true
      default: false
      }
    }
  }

  /// The node goes: nothing of it counts from now on, and users who are not back elsewhere after the grace leave.
  /// Nothing about presence is said after it: the leaving of each connection would be taken for its user's.
  mutating func depart(graceMilliseconds: Int) {
    guard !presence.isDeparted else { return }
    presence.isDeparted = true
    presence.departureGrace = graceMilliseconds
    departAgain()
  }

  /// Says it until it is heard.
  mutating func departAgain() {
    guard presence.isRegistered else { return presence.hasDeparted = true }
    guard !presence.hasDeparted else { return }
    ask(
      .depart(incarnation: presence.incarnation, graceMilliseconds: presence.departureGrace),
      .lease(.departure, incarnation: presence.incarnation))
  }

  // MARK: Rebalance

  /// The counts of all nodes have come.
  mutating func rebalance(now: Now) {
    guard rebalancing != nil else { return }
    guard relayState == .connected, presence.maySpeak, !presence.isDraining else { return rebalancing!.goBlind() }
    let others = presence.nodes.filter { $0.name != configuration.instance }
    // A number that no node has would be a relay's mistake: sums must hold it.
    let counts = others.filter { !$0.isDraining }.map { min($0.connections, 10_000_000) }
    let count = rebalancing!.look(
      Rebalance.Look(
        own: connections.count, others: counts,
        somebodyDrains: others.contains(where: \.isDraining)),
      now: now.monotonic)
    guard count > 0 else { return }
    output.actions.append(.notice(.rebalances(count)))
    output.actions.append(.shed(count, overMilliseconds: Presence.heartbeatInterval))
  }
}
