import RealtimeCore
import RedisRelay

/// What must be true when nothing has gone wrong for a while and nobody does anything new.
extension Cluster {
  func checkSettled() {
    for client in clients { checkClient(client) }
    checkRosters()
    checkRevocations()
    for node in nodes where node.isAlive {
      if let oldest = node.unanswered.values.min(), world.now - oldest > 3_000 {
        ledger.fail(.answered, "\(node.name) has waited \(world.now - oldest) ms for an answer of the relay")
      }
      if node.relay.states.contains(where: { $0 != .connected }) || node.hub.relayState != .connected {
        ledger.fail(.service, "the relay of \(node.name) is \(node.hub.relayState), \(node.relay.states)")
      }
    }
  }

  private func checkClient(_ client: SimulatedClient) {
    guard client.phase == .open else {
      return ledger.fail(.service, "\(client.name) has no connection: \(client.phase)")
    }
    for (room, view) in client.views.enumerated() where view.isWanted {
      guard view.stage == .inside, let position = view.position else {
        return ledger.fail(.service, "\(client.name) wants to be in r\(room) and is \(view.stage)")
      }
      // An error for a message without an id does not tell which: those cannot be accounted for one by one.
      if let content = view.unacked.first(where: { ledger.messages[$0].hasID }) {
        ledger.fail(.answered, "\(client.name) has no answer to its message \(content) in r\(room)")
      }
      let meta = home(of: room).redis.data.metas["r\(room)"]
      // An epoch in which nothing was said yet (the room's keys were evicted) is announced with its first message.
      guard let top = meta?.top, top > 0 else { continue }
      let isThere = position.offset == top || client.isShown(position, upTo: top + 1, in: room)
      if position.epoch != meta?.epoch || !isThere {
        let truth = "\(meta?.epoch ?? "nothing") \(meta?.top ?? -1)"
        ledger.fail(.settledMessages, "\(client.name) stands at \(position) in r\(room), where Redis is at \(truth)")
      }
    }
  }

  /// Users, counts and revocations are on the first server.
  private var first: RedisData { servers[0].redis.data }

  private func checkRevocations() {
    for node in nodes where node.isAlive {
      if node.hub.report.revocations != first.revoked.count {
        let known = node.hub.report.revocations
        ledger.fail(.revocations, "\(node.name) knows \(known) revocations, and Redis has \(first.revoked.count)")
      }
      if let key = node.revoked.first(where: { first.revoked[$0] == nil }) {
        ledger.fail(.revocations, "\(node.name) knew of \(String(decoding: key, as: UTF8.self)), and Redis does not")
      }
    }
    for client in clients {
      let issued = first.revoked[Array("uu\(client.user)".utf8)]?.issuedUntil ?? 0
      if client.token <= issued || first.revoked[Array("tk\(client.token)".utf8)] != nil {
        ledger.fail(.revocations, "\(client.name) still uses the revoked token \(client.token)")
      }
    }
  }

  private func checkRosters() {
    for (number, room) in rooms.enumerated() {
      var expected: [String: Set<String>] = [:]
      for client in clients where client.phase == .open && client.views[number].stage == .inside {
        expected["u\(client.user)", default: []].insert(client.session!.node.name)
      }
      let users = Set(expected.keys.compactMap { Int($0.dropFirst()) })
      for client in clients where client.phase == .open && client.views[number].stage == .inside {
        let known = client.views[number].present.union([client.user])
        if known != users, !ledger.unversioned.contains(room.text) {
          ledger.fail(
            .settledRosters, "\(client.name) believes \(known.sorted()) in \(room.text), right is \(users.sorted())")
        }
      }
      let held = (home(of: number).redis.data.rooms[room.text] ?? [:]).mapValues(\.nodes)
      if held != expected.mapValues(\.count) {
        let (known, right) = (held.sorted { $0.key < $1.key }, expected.sorted { $0.key < $1.key })
        ledger.fail(.settledRosters, "\(room.text): Redis has \(known), and right is \(right)")
      }
    }
    var online: [String: Set<String>] = [:]
    for client in clients where client.phase == .open {
      online["u\(client.user)", default: []].insert(client.session!.node.name)
    }
    if first.users != online.mapValues(\.count) {
      let known = first.users.sorted { $0.key < $1.key }
      ledger.fail(.settledOnline, "Redis has online \(known), and right is \(online.sorted { $0.key < $1.key })")
    }
  }

  /// What every node must answer to `GET /ws/online`.
  func checkOnline() {
    let right = OnlineNumbers(
      connections: clients.filter { $0.phase == .open }.count, users: Set(clients.map(\.user)).count,
      nodes: nodes.filter(\.isAlive).count)
    for node in nodes where node.isAlive {
      let answers = node.onlineAnswers
      guard answers.count == 1, answers[0].isClusterWide, answers[0].numbers == right else {
        return ledger.fail(.settledOnline, "\(node.name) says online \(answers), and right is \(right)")
      }
    }
  }
}
