import Buffers

// A frame to all nodes, whose answers come on the asking node's own channel. Over are they when everybody has answered
// who was handed the frame, and every node with a lease (a node that has just come is only among the first, one that is
// cut off only among the second), or after half a second. Other programs that listen on the channel never answer: they
// delay the end, and do not make it partial.

extension Hub {
  /// Asks all nodes.
  mutating func askNodes(_ question: NodeQuestion, for asker: ConnectionID, now: Now) {
    let request = gatherings.begin(Gathering(asker: asker, purpose: .question(question)), now: now)
    let envelope = RelayEnvelope.question(
      question.words, about: question.user, node: configuration.instance, scratch: &scratch)
    broadcast(envelope, version: request, .direct(request))
  }

  /// The relay handed the frame on, or did not.
  mutating func handedOn(_ request: Int, _ reply: RelayReply) {
    guard let gathering = gatherings.waiting[request] else { return }
    guard case .sent(let receivers) = reply else {
      gatherings.waiting[request] = nil
      return giveUp(gathering)
    }
    gatherings.waiting[request]!.expected = max(receivers, presence.nodes.count)
    finishGathering(request)
  }

  private mutating func giveUp(_ gathering: Gathering) {
    switch gathering.purpose {
    case .ack(let id): refuse(gathering.asker, .relayUnavailable(retryAfterMilliseconds: 1_000), id: id)
    case .closing(let user, let reason): closeHere(user, reason: reason, for: gathering.asker)
    case .delivery, .question: answer(gathering.asker, .unavailable)
    }
  }

  // MARK: Answering

  /// Tells the node that asked how many connections were reached.
  mutating func answer(_ frame: RelayFrame, _ bytes: RawSpan, reached: Int) {
    guard frame.token != nil, let request = frame.version, let node = frame.node else { return }
    let asker = bytes.text(node)
    if asker == configuration.instance { return reach(request, reached) }
    ask(.send(node: asker, Array("reached \(request) \(reached) \(generationToken)".utf8)), .nothing)
  }

  /// A node asks all.
  mutating func answerQuestion(_ frame: RelayFrame, _ bytes: RawSpan, now: Now) {
    let words = JSONString(value: frame.payload, in: bytes)?.text(in: bytes) ?? ""
    guard let request = frame.version, let node = frame.node,
      let question = NodeQuestion(words: words, user: frame.recipient)
    else {
      counters.badFrames += 1
      return
    }
    let (asker, answer) = (bytes.text(node), answer(to: question, now: now))
    if case .drains(true) = answer { output.actions.append(.drain) }
    if asker == configuration.instance { return take(answer, from: asker, request: request) }
    let text = "answer \(request) \(generationToken) \(configuration.instance) \(answer.words)"
    ask(.send(node: asker, Array(text.utf8)), .nothing)
  }

  private func answer(to question: NodeQuestion, now: Now) -> NodeAnswer {
    switch question {
    case .user(let user): .connections(localUser(user).map { users[$0].connections.count } ?? 0)
    case .rooms(let after, let limit): .rooms(firstRooms(behind: after, limit + 1))
    case .nodes: .facts(facts(now: now))
    case .drain(let node): .drains(node == configuration.instance)
    }
  }

  func facts(now: Now) -> NodeFacts {
    NodeFacts(
      node: configuration.instance, state: presence.isDraining ? .draining : .ready,
      address: configuration.address, version: configuration.version, connections: connections.count,
      users: userNumbers.count, rooms: roomNumbers.count,
      uptimeSeconds: Int(max(0, now.monotonic - startedAt) / 1_000),
      leaseAge: Int(max(0, now.monotonic - (presence.renewedAt ?? startedAt))), messages: counters.published)
  }

  /// The first rooms with members here. One pass that keeps as many as are wanted, whatever the number of rooms.
  private func firstRooms(behind after: RoomName?, _ limit: Int) -> [RoomCount] {
    var first: [RoomCount] = []
    for slot in 0..<UInt32(rooms.slotCount) where rooms.isInUse(slot) && !rooms[slot].users.isEmpty {
      let name = rooms[slot].name
      if let after, name.text <= after.text { continue }
      if first.count == limit, let last = first.last, name.text > last.name.text { continue }
      let place = first.firstIndex { name.text < $0.name.text } ?? first.count
      let count = max(rooms[slot].roster.count, rooms[slot].users.count)
      first.insert(RoomCount(name: name, count: count), at: place)
      if first.count > limit { first.removeLast() }
    }
    return first
  }

  // MARK: Answers

  /// Something on this node's own channel: `reached <request> <connections> <token>`, or
  /// `answer <request> <token> <node> <words>`.
  mutating func directed(_ bytes: [UInt8], now: Now) {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard words.count >= 4, !generationToken.isEmpty, let request = Int(words[1]) else {
      return counters.badFrames += 1
    }
    switch words[0] {
    case "reached" where words.count == 4 && words[3] == generationToken:
      guard let reached = Int(words[2]), (0...1_000_000).contains(reached) else { return counters.badFrames += 1 }
      reach(request, reached)
    case "answer" where words[2] == generationToken && words[3].utf8.count <= 128:
      let node = String(words[3])
      // One that comes late finds nobody who waits.
      guard case .question(let question) = gatherings.waiting[request]?.purpose else { return }
      guard let answer = NodeAnswer(Array(words[4...]), to: question, from: node) else {
        return counters.badFrames += 1
      }
      take(answer, from: node, request: request)
    default: counters.badFrames += 1
    }
  }

  private mutating func reach(_ request: Int, _ reached: Int) {
    guard gatherings.waiting[request] != nil else { return }
    gatherings.waiting[request]!.reached += reached
    gatherings.waiting[request]!.answered += 1
    finishGathering(request)
  }

  private mutating func take(_ answer: NodeAnswer, from node: String, request: Int) {
    guard gatherings.waiting[request]?.take(answer, from: node) == true else { return }
    finishGathering(request)
  }

  mutating func tickGatherings(now: Now) {
    while let request = gatherings.timeouts.popDue(now: now.monotonic) {
      guard let late = gatherings.waiting.removeValue(forKey: request) else { continue }
      tell(late, isPartial: late.answered < presence.nodes.count)
    }
  }

  private mutating func finishGathering(_ request: Int) {
    guard let gathering = gatherings.waiting[request], gathering.isDecided else { return }
    gatherings.waiting[request] = nil
    tell(gathering, isPartial: false)
  }

  private mutating func tell(_ gathering: Gathering, isPartial: Bool) {
    switch gathering.purpose {
    case .ack(let id): ackPrivate(gathering.asker, id: id, reached: gathering.reached, isPartial: isPartial)
    case .closing:
      answer(gathering.asker, .disconnected(connections: gathering.reached, isPartial: isPartial))
    case .delivery: answer(gathering.asker, .reached(connections: gathering.reached, isPartial: isPartial))
    case .question(let question): answer(gathering.asker, answer(to: question, gathering, isPartial: isPartial))
    }
  }

  private func answer(to question: NodeQuestion, _ gathering: Gathering, isPartial: Bool) -> BackendAnswer {
    switch question {
    case .user(let user):
      return .found(
        BackendText.user(user, gathering.connections.sorted { $0.node < $1.node }, isPartial: isPartial))
    case .rooms(_, let limit):
      let rooms = Array(gathering.rooms.prefix(limit))
      return .found(
        BackendText.rooms(
          rooms, next: gathering.rooms.count > limit ? rooms.last?.name : nil, isPartial: isPartial))
    case .nodes:
      let silent = presence.nodes.map(\.name).filter { !gathering.hasHeard($0) }.sorted()
      return .found(
        BackendText.nodes(
          gathering.nodes.sorted { $0.node < $1.node }, silent: silent, isPartial: isPartial))
    case .drain:
      if let node = gathering.draining { return .drain(.begun(node: node)) }
      return .drain(isPartial ? .noAnswer : .unknownNode)
    }
  }
}
