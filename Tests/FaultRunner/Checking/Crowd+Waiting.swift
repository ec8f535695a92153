import EventLoops

extension Crowd {
  /// Clients that are not where they want to be.
  var outsiders: Int { clients.count { $0.phase != .gone && !$0.isInside } }

  var unanswered: Int { clients.reduce(0) { $0 + ($1.phase == .gone ? 0 : $1.outstanding.count) } }

  /// Handshakes that were answered, but not with 101.
  var refusals: Int { errors.reduce(0) { $0 + ($1.key.hasPrefix("refused") ? $1.value : 0) } }

  /// Waits until something is so, asked every 20 ms; false when it did not come to it.
  func wait(seconds: Double, until isTrue: () -> Bool) async -> Bool {
    let deadline = monotonicMilliseconds() + Int64(seconds * 1_000)
    while !isTrue() {
      guard monotonicMilliseconds() < deadline else { return false }
      await Self.pause(0.02)
    }
    return true
  }

  static func pause(_ seconds: Double) async { try? await Task.sleep(for: .seconds(seconds)) }

  /// Lets everybody come back, says one last thing in every room, and gives the verdict.
  func finish(patience: Double) async {
    isTalking = false
    let isCalm = await wait(seconds: patience) { outsiders == 0 && unanswered == 0 }
    if !isCalm {
      for (index, client) in clients.enumerated() where client.phase != .gone {
        if !client.isInside {
          ledger.blame(\.notRecovered, "client \(index): \(client.phase) \(client.memberships) on node \(client.node)")
        }
        for (content, message) in client.outstanding {
          ledger.blame(
            \.notRecovered, client: index, room: message.room, message: content,
            "has no answer on node \(client.node), seen by \(witnesses(of: content, in: message.room))")
        }
      }
    }
    let finals = await sayFinals()
    let members = clients.indices.filter { clients[$0].isInside }.flatMap { index in
      clients[index].rooms.map { (client: index, room: $0) }
    }
    _ = await wait(seconds: 5) {
      unanswered == 0
        && members.allSatisfy {
          finals[$0.room] == nil || ledger.has(finals[$0.room]!, client: $0.client, room: $0.room)
        }
    }
    for (room, final) in finals where !ledger.isAcked(final) {
      ledger.blame(\.notRecovered, "\(room): no ack of \(final)")
    }
    ledger.finish(members: members.filter { clients[$0.client].isInside }, finals: finals)
  }

  private func witnesses(of content: String, in room: String) -> Int {
    clients.indices.count { ledger.has(content, client: $0, room: room) }
  }

  private func sayFinals() async -> [String: String] {
    var finals: [String: String] = [:]
    for room in Set(clients.flatMap(\.rooms)).sorted() {
      guard let index = clients.indices.first(where: { clients[$0].isInside && clients[$0].rooms.contains(room) })
      else {
        ledger.blame(\.notRecovered, "nobody is in \(room)")
        continue
      }
      finals[room] = saySomething(index, in: room)
    }
    return finals
  }
}
