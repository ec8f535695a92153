import RealtimeCore

/// Replies of the scripts as answers. A reply of another shape is not ours, whoever sent it.
extension Reply {
  mutating func decode(_ shape: RequestShape) throws(MalformedReply) -> RelayReply {
    switch shape {
    case .publish(_, let count): return .published(try publishOutcomes(count))
    case .read(let rooms): return .read(try roomReads(rooms))
    case .history: return .history(try roomHistory())
    case .changed:
      _ = try takeInteger()
      return .presenceChanged
    case .counted(let count):
      guard try takeArray() == count else { throw .unexpectedShape }
      var elsewhere: [Int] = []
      for _ in 0..<count { elsewhere.append(try takeInteger()) }
      return .counted(elsewhere: elsewhere)
    case .alive: return try alive()
    case .reaped: return .reaped(isDone: try takeInteger() == 1)
    case .roster: return .roster(try roster())
    case .online:
      guard try takeArray() == 3 else { throw .unexpectedShape }
      return .online(connections: try takeNumber(), users: try takeNumber(), nodes: try takeNumber())
    case .sent: return .sent(receivers: try takeNumber())
    case .revoked: return .revoked(refused: try takeNumber())
    case .revocations(let position): return .revocations(try revocationSlice(after: position))
    }
  }

  private mutating func publishOutcomes(_ count: Int) throws(MalformedReply) -> [PublishOutcome] {
    guard try takeArray() == 3 * count else { throw .unexpectedShape }
    var outcomes: [PublishOutcome] = []
    for _ in 0..<count {
      let offset = try takeNumber()
      let epoch = try takeEpoch()
      let isDuplicate = try takeInteger() == 1
      outcomes.append(PublishOutcome(position: Position(epoch: epoch, offset: offset), isDuplicate: isDuplicate))
    }
    return outcomes
  }

  private mutating func roomReads(
    _ rooms: [(room: RoomName, known: Position?)]
  ) throws(MalformedReply) -> [RoomRead] {
    guard try takeArray() == rooms.count else { throw .unexpectedShape }
    var reads: [RoomRead] = []
    reads.reserveCapacity(rooms.count)
    for (room, known) in rooms {
      if takeNull() {
        reads.append(RoomRead(room: room, known: known, top: nil, messages: [], isComplete: false))
        continue
      }
      guard try takeArray() == 4 else { throw .unexpectedShape }
      let top = Position(epoch: try takeEpoch(), offset: try takeNumber())
      let isComplete = try takeInteger() == 1
      let count = try takeArray()
      guard count % 2 == 0 else { throw .unexpectedShape }
      var messages: [(offset: Int, text: [UInt8])] = []
      messages.reserveCapacity(min(count / 2, 1_024))
      for _ in 0..<(count / 2) { messages.append((try takeNumber(), try takeOpenText())) }
      reads.append(RoomRead(room: room, known: known, top: top, messages: messages, isComplete: isComplete))
    }
    return reads
  }

  private mutating func roomHistory() throws(MalformedReply) -> RoomHistory {
    if takeNull() { return RoomHistory(top: nil, messages: []) }
    guard try takeArray() == 4 else { throw .unexpectedShape }
    let top = Position(epoch: try takeEpoch(), offset: try takeNumber())
    let highest = try takeNumber()
    let count = try takeArray()
    guard count <= JoinWish.historyLimit, highest <= top.offset, highest >= count else { throw .unexpectedShape }
    var messages: [(offset: Int, text: [UInt8])] = []
    messages.reserveCapacity(count)
    for place in 0..<count { messages.append((highest - place, try takeOpenText())) }
    return RoomHistory(top: top, messages: messages.reversed())
  }

  private mutating func alive() throws(MalformedReply) -> RelayReply {
    guard try takeArray() == 3 else { throw .unexpectedShape }
    let infos = try strings()
    guard try takeArray() == infos.count else { throw .unexpectedShape }
    var nodes: [NodeStanding] = []
    var known: Set<String> = []
    for info in infos {
      let words = info.split(separator: " ", maxSplits: 1)
      let node = NodeStanding(
        String(words.first ?? ""), connections: try takeNumber(), isDraining: words.last == "draining")
      if known.insert(node.name).inserted { nodes.append(node) }
    }
    return .alive(nodes: nodes, expired: try strings())
  }

  private mutating func roster() throws(MalformedReply) -> Roster {
    guard try takeArray() == 5 else { throw .unexpectedShape }
    let count = try takeNumber()
    let top = Position(epoch: try takeEpoch(), offset: try takeNumber())
    let version = try takeNumber()
    let words = try takeArray()
    guard words % 2 == 0 else { throw .unexpectedShape }
    var members: [Identity] = []
    for _ in 0..<(words / 2) {
      let id = JSONText.unescaped(try takeString())
      let value = try takeString()
      guard let colon = value.firstIndex(of: ":") else { throw .unexpectedShape }
      let name = JSONText.unescaped(String(value[value.index(after: colon)...]))
      guard let member = Identity(user: id, name: name) else { throw .unexpectedShape }
      members.append(member)
    }
    return Roster(members: members, count: count, top: top, version: version)
  }

  /// Entries that are none of ours are left out.
  private mutating func revocationSlice(after known: Int) throws(MalformedReply) -> RevocationSlice {
    guard try takeArray() == 5 else { throw .unexpectedShape }
    let (position, top) = (try takeNumber(), try takeNumber())
    let isLast = try takeInteger() == 1
    let horizon = Int64(try takeNumber())
    let words = try takeArray()
    guard words % 2 == 0, words <= 2 * RelayLimits.revocationsPerSlice, isLast || position > known else {
      throw .unexpectedShape
    }
    var entries: [Revocation] = []
    for _ in 0..<(words / 2) {
      let key = try takeBytes()
      let value = try takeString().split(separator: ":", omittingEmptySubsequences: false)
      guard value.count == 2, let until = Int64(value[0]), let issuedUntil = Int64(value[1]),
        let revocation = Revocation(key: key, until: until, issuedUntil: issuedUntil)
      else { continue }
      entries.append(revocation)
    }
    return RevocationSlice(entries: entries, position: position, top: top, isLast: isLast, horizon: horizon)
  }

  private mutating func strings() throws(MalformedReply) -> [String] {
    var strings: [String] = []
    for _ in 0..<(try takeArray()) { strings.append(try takeString()) }
    return strings
  }

  /// A stored envelope, without the brace that closes it.
  private mutating func takeOpenText() throws(MalformedReply) -> [UInt8] {
    let range = try takeRange()
    guard !range.isEmpty, bytes[range.upperBound - 1] == UInt8(ascii: "}") else { throw .unexpectedShape }
    return Array(bytes[range.dropLast()])
  }

  /// Epochs go into frames as they are: they must need no escaping.
  private mutating func takeEpoch() throws(MalformedReply) -> String {
    let range = try takeRange()
    guard (1...64).contains(range.count),
      bytes[range].allSatisfy({ (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "-") })
    else { throw .unexpectedShape }
    return String(decoding: bytes[range], as: UTF8.self)
  }
}
