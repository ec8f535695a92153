import RealtimeCore

/// What the client hears, and what must be true of it.
extension SimulatedClient {
  func hear(_ heard: Heard) {
    switch heard.kind {
    case .admitted:
      phase = .open
      for room in views.indices where views[room].isWanted { join(room) }
    case .roomInfo: entered(heard)
    case .message: got(heard)
    case .ack: acknowledged(heard)
    case .error: refused(heard)
    case .resync: resynced(heard)
    case .joined, .left: presenceChanged(heard)
    case .onlineUsers, .other: break
    }
  }

  private func entered(_ heard: Heard) {
    let room = heard.room
    guard views[room].stage == .joining, let offset = heard.offset else { return }
    let place = Position(epoch: heard.epoch, offset: offset)
    note(
      "is in r\(room) at \(place)\(heard.recovered.map { $0 ? ", recovered" : ", not recovered: \(heard.code)" } ?? "")"
    )
    ledger.count(\.joins)
    if heard.recovered == true {
      ledger.count(\.recovered)
      checkRecovery(room, place)
    } else {
      if heard.recovered == false {
        ledger.count(\.unrecovered)
        checkLoss(room, since: views[room].asked, at: place, heard.code)
      }
      views[room].seen.removeAll()
    }
    if !heard.users.contains(user), heard.users.count == heard.count {
      ledger.fail(.settledRosters, "\(name) is not in the roster of its own room_info of r\(room)")
    }
    views[room].position = place
    views[room].asked = nil
    views[room].stage = .inside
    views[room].since = world.now
    views[room].jumpedTo = 0
    views[room].firstContent = ledger.messages.count
    views[room].present = Set(heard.users)
    views[room].lastEvent = [:]
    for content in views[room].unacked where ledger.messages[content].connection != connection {
      views[room].refused.insert(content)
    }
    for content in views[room].unacked where views[room].refused.contains(content) { sendAgain(content) }
  }

  private func checkLoss(_ room: Int, since known: Position?, at place: Position, _ reason: String) {
    guard let known, ledger.isNeedless(since: known, at: place, in: room) else { return }
    ledger.fail(
      .needlessResync, "\(name) stood at \(known) in r\(room) and was told of a loss at \(place): \(reason)")
  }

  private func checkRecovery(_ room: Int, _ place: Position) {
    guard let asked = views[room].asked else {
      return ledger.fail(.recovered, "\(name) recovered in r\(room) without having asked")
    }
    if asked != place { ledger.fail(.recovered, "\(name) asked for \(asked) in r\(room) and recovered at \(place)") }
    let top = ledger.top(room: room, epoch: asked.epoch) ?? 0
    if asked.offset > top { ledger.fail(.recovered, "\(name) recovered from \(asked), which never was (top \(top))") }
    // Who asked for less than he had gets it again.
    if let had = views[room].position, had != asked { views[room].seen.removeAll() }
  }

  private func got(_ heard: Heard) {
    let room = heard.room
    guard views[room].stage == .inside, let offset = heard.offset, let position = views[room].position else {
      if views[room].stage == .leaving { return }
      return ledger.fail(.membersOnly, "\(name) got message \(heard.content) of r\(room) and is not in it")
    }
    note("gets \(heard.content) at \(offset) in r\(room)")
    guard offset == position.offset + 1 || isShown(position, upTo: offset, in: room) else {
      return ledger.fail(
        .contiguous, "\(name) stood at \(position) in r\(room) and got message \(heard.content) at \(offset)")
    }
    views[room].position!.offset = offset
    ledger.delivered(heard, at: .init(room: room, epoch: position.epoch, offset: offset), to: name)
    show(heard.content, in: room)
  }

  /// Whether everything between was shown already: a retry that got a new place after a change of epoch leaves a hole.
  func isShown(_ position: Position, upTo offset: Int, in room: Int) -> Bool {
    guard offset > position.offset + 1 else { return false }
    return (position.offset + 1..<offset).allSatisfy { between in
      let content = ledger.content(at: .init(room: room, epoch: position.epoch, offset: between))
      return content.map { views[room].seen[$0] != nil } ?? false
    }
  }

  private func show(_ content: Int, in room: Int) {
    let epoch = views[room].position!.epoch
    guard let before = views[room].seen.updateValue((epoch, world.now), forKey: content) else { return }
    // Only for the sake of one who came between may a repeat be shown again, after a change of epoch.
    if before.epoch != epoch, cluster.hasEntrant(since: before.time, room: room, on: session!.node) { return }
    // Evicted digests let a retry be stored again.
    if ledger.messages[content].places.filter({ $0.place.epoch == epoch }).count > 1 { return }
    ledger.fail(.once, "\(name) was shown message \(content) twice in r\(room)")
  }

  private func acknowledged(_ heard: Heard) {
    guard let offset = heard.offset else { return left(heard) }
    let (room, place) = (heard.room, Ledger.Place(room: heard.room, epoch: heard.epoch, offset: offset))
    guard let content = heard.id?.number ?? ledger.content(at: place) else {
      return ledger.fail(.trueAck, "\(name) got an ack for \(place), where nothing is")
    }
    note("ack of \(content) at \(offset) in r\(room)\(heard.isDuplicate ? ", duplicate" : "")")
    views[room].unacked.removeAll { $0 == content }
    ledger.acknowledged(content, at: place, isDuplicate: heard.isDuplicate, to: name)
    guard !heard.isDuplicate, views[room].stage == .inside, let position = views[room].position else { return }
    if position.epoch == place.epoch,
      offset == position.offset + 1 || isShown(position, upTo: offset, in: room)
    {
      views[room].position!.offset = offset
      views[room].seen[content] = (position.epoch, world.now)
    } else if position.epoch == place.epoch, offset <= views[room].jumpedTo {
      // A resync went over it.
    } else if content >= views[room].firstContent {
      ledger.fail(.trueAck, "\(name) stood at \(position) in r\(room) and got the ack of \(content) at \(place)")
    }
  }

  private func left(_ heard: Heard) {
    guard let id = heard.id, id.purpose == UInt8(ascii: "l") else { return }
    views[id.number].stage = .outside
    if views[id.number].isWanted { join(id.number) }
  }

  private func refused(_ heard: Heard) {
    guard let id = heard.id else { return refusedWithoutID(heard) }
    note("error \(heard.code) for \(UnicodeScalar(id.purpose))\(id.number)")
    ledger.count(\.refusals)
    let wait = Int64(world.dice.roll(100...700)) * 1_000
    switch id.purpose {
    case UInt8(ascii: "j"), UInt8(ascii: "l"):
      if views[id.number].stage == .joining || views[id.number].stage == .leaving { views[id.number].stage = .outside }
      world.after(wait) { [weak self] in
        guard let self, views[id.number].isWanted else { return }
        join(id.number)
      }
    case UInt8(ascii: "m"):
      views[ledger.messages[id.number].room].refused.insert(id.number)
      world.after(wait) { [weak self] in self?.sendAgain(id.number) }
    default: break
    }
  }

  /// Some message without an id: its sender cannot know which, and gives up the oldest.
  private func refusedWithoutID(_ heard: Heard) {
    note("error \(heard.code) for something")
    let lost = views.flatMap(\.unacked).filter { !ledger.messages[$0].hasID }.min()
    for room in views.indices { views[room].unacked.removeAll { $0 == lost } }
  }

  private func resynced(_ heard: Heard) {
    let room = heard.room
    guard views[room].stage == .inside, let position = views[room].position, let offset = heard.offset else { return }
    note("resync in r\(room) from \(position) to \(heard.epoch) \(offset): \(heard.code)")
    ledger.count(\.resyncs)
    if heard.code == "epoch_changed", heard.epoch == position.epoch {
      ledger.fail(.needlessResync, "\(name) was told of a new epoch in r\(room) and is still in \(position.epoch)")
    }
    let place = Position(epoch: heard.epoch, offset: offset)
    checkLoss(room, since: position, at: place, heard.code)
    views[room].position = place
    views[room].jumpedTo = offset
  }

  private func presenceChanged(_ heard: Heard) {
    let room = heard.room
    guard views[room].stage == .inside else {
      if views[room].stage == .leaving { return }
      return ledger.fail(.membersOnly, "\(name) heard of u\(heard.user) in r\(room) and is not in it")
    }
    let isJoin = heard.kind == .joined
    note("hears that u\(heard.user) \(isJoin ? "joined" : "left") r\(room)")
    if isJoin { views[room].present.insert(heard.user) } else { views[room].present.remove(heard.user) }
    if let last = views[room].lastEvent.updateValue(isJoin, forKey: heard.user), last == isJoin {
      ledger.fail(.alternation, "\(name) heard twice that u\(heard.user) \(isJoin ? "joined" : "left") r\(room)")
    }
  }
}
