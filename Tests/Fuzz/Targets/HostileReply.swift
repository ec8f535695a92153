import RealtimeCore

/// What a relay could answer that has lost its mind: right in shape, with any numbers that a decoder lets through.
struct HostileReply {
  private let numbers: [Int]
  private let epoch: String

  init(_ numbers: [Int], epoch: String) {
    self.numbers = numbers.isEmpty ? [0] : numbers.map { min($0, RelayLimits.highestNumber) }
    self.epoch = numbers.count % 2 == 0 ? epoch : "odd"
  }

  private func number(_ index: Int) -> Int { numbers[index % numbers.count] }
  private func position(_ index: Int) -> Position { Position(epoch: epoch, offset: number(index)) }

  func answer(_ request: RelayRequest) -> RelayReply {
    switch request {
    case .publish(_, let publications):
      return .published(
        publications.indices.map { PublishOutcome(position: position($0), isDuplicate: number($0 + 1) % 2 == 1) })
    case .read(let questions):
      return .read(
        questions.map { question in
          RoomRead(
            room: question.room, known: question.known, top: number(0) == 3 ? nil : position(1), messages: messages(),
            isComplete: number(2) % 2 == 0)
        })
    case .history: return .history(RoomHistory(top: number(0) == 3 ? nil : position(0), messages: messages()))
    case .changePresence, .countConnections, .depart: return number(0) == 3 ? .fenced : .presenceChanged
    case .heartbeat, .register:
      return number(0) == 3
        ? .fenced
        : .alive(
          nodes: [.init("n1-abcdef"), .init("n2", connections: number(1))], expired: number(0) == 4 ? ["n2"] : [])
    case .countUsers(_, let users): return .counted(elsewhere: users.indices.map { number($0) - 1 })
    case .reap: return .reaped(isDone: number(0) % 2 == 0)
    case .roster:
      let members = [Identity(user: "ann", name: "Ann"), Identity(user: "eve", name: "")].compactMap(\.self)
      return .roster(
        Roster(members: Array(members.prefix(number(0) % 3)), count: number(1), top: position(2), version: number(3)))
    case .online: return .online(connections: number(0), users: number(1), nodes: number(2))
    case .revoke: return .revoked(refused: number(0))
    case .revocations:
      let entries = [Revocation.token("t1", until: Int64(number(1))), .user("ann", issuedUntil: 3, until: 9)]
      return .revocations(
        RevocationSlice(
          entries: Array(entries.compactMap(\.self).prefix(number(0) % 3)), position: number(2), top: number(3),
          isLast: number(1) % 2 == 0, horizon: Int64(number(4))))
    case .broadcast, .tell, .send: return .sent(receivers: number(0))
    }
  }

  private func messages() -> [(offset: Int, text: [UInt8])] {
    let text = #"{"type":"new_message","room":"r","payload":1,"sender":{"id":"eve","name":"eve"},"id":"n2-1""#
    return (0..<number(3) % 4).map { (number(4) + $0, Array(text.utf8)) }
  }
}
