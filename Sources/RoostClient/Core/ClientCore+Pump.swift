extension ClientCore {
  /// Lets leave whatever may: joins first, then what waits in order.
  mutating func pump(_ now: Int64) {
    guard phase == .open else { return }
    if rooms.values.contains(where: \.isWaiting) { askForRooms(now) }
    let rooms = rooms
    for text in requests.leave(now, isMember: { rooms[$0]?.isMember ?? true }) { actions.append(.send(text)) }
  }

  private mutating func askForRooms(_ now: Int64) {
    // By name, so that a run can be repeated.
    for (name, track) in rooms.sorted(by: { $0.key < $1.key }) where track.isWaiting && track.notBefore <= now {
      // Nobody takes what would come: later.
      guard track.phase == .out || events.hasRoom || !track.tickets.isEmpty else { continue }
      let id = nextID()
      rooms[name]?.phase = .asked(id: id, at: now)
      rooms[name]?.askedSince = track.position
      let history = track.position == nil ? track.history : 0
      actions.append(.send(ClientText.join(name, id: id, since: track.position, history: history)))
    }
  }
}
