import Buffers

// What rooms remember
//
// Every room keeps its last delivered messages, as they are, so that who comes back costs Redis nothing. All rooms
// together have one budget. The room that was used least recently pays first; uses are noted once a second at most,
// which keeps the bookkeeping out of the path of a message.

extension Hub {
  private static var useInterval: Int64 { 1_000 }

  /// A message took its place in the room's order.
  mutating func remember(_ message: StoredMessage, at offset: Int, room number: RoomNumber, now: Now) {
    let before = rooms[number].ring.cost
    rooms[number].ring.append(
      PastMessage(envelope: message.envelope, sender: message.sender, offset: offset), at: offset,
      limit: configuration.historyMessages)
    ringBytes += rooms[number].ring.cost - before
    if now.monotonic - rooms[number].ringUsedAt >= Self.useInterval || before == 0 { useRing(number, now: now) }
  }

  /// The room's memory was of use: it goes last. What became too old goes now.
  mutating func useRing(_ number: RoomNumber, now: Now) {
    rooms[number].ringUsedAt = now.monotonic
    let (before, limit) = (rooms[number].ring.cost, oldestRemembered(now))
    while let first = rooms[number].ring.first, first.isOlder(than: limit) { rooms[number].ring.removeFirst() }
    ringBytes += rooms[number].ring.cost - before
    if rooms[number].ring.isEmpty { ringOrder.remove(number) } else { ringOrder.use(number) }
  }

  mutating func clearRing(_ number: RoomNumber) {
    ringBytes -= rooms[number].ring.cost
    rooms[number].ring.removeAll()
    ringOrder.remove(number)
  }

  /// A new generation: nothing that was remembered may be told as if it still stood. What was read for those on the
  /// way in goes with it and must be read again, or they would be told of a hole that is none: the room may be on
  /// another of several servers, and be what it was.
  mutating func clearAllRings() {
    while let number = ringOrder.oldest { clearRing(number) }
    for slot in 0..<UInt32(rooms.slotCount) where rooms.isInUse(slot) {
      for index in rooms[slot].entrants.indices { rooms[slot].entrants[index].forgetAnswers() }
      for index in rooms[slot].returners.indices { rooms[slot].returners[index].entrant.forgetAnswers() }
    }
  }

  /// Puts what the relay told of the past in front of what is remembered, when it fits.
  mutating func rememberOlder(_ older: [PastMessage], room number: RoomNumber, now: Now) {
    guard let first = older.first, let position = rooms[number].stream.position else { return }
    let before = rooms[number].ring.cost
    rooms[number].ring.prepend(
      older, from: first.offset, upTo: position.offset + 1, limit: configuration.historyMessages)
    ringBytes += rooms[number].ring.cost - before
    if before != rooms[number].ring.cost {
      rooms[number].ringUsedAt = now.monotonic
      ringOrder.use(number)
    }
  }

  /// Holds the budget of all rooms together.
  mutating func shrinkRings() {
    while ringBytes > configuration.ringBytes, let number = ringOrder.oldest {
      let before = rooms[number].ring.cost
      rooms[number].ring.removeFirst()
      ringBytes += rooms[number].ring.cost - before
      if rooms[number].ring.isEmpty { ringOrder.remove(number) }
    }
  }

  /// When the room that was used least recently holds nothing but what is too old.
  var ringDeadline: Int64? {
    ringOrder.oldest.map { rooms[$0].ringUsedAt + Int64(configuration.historySeconds) * 1_000 + Self.useInterval }
  }

  mutating func tickRings(now: Now) {
    while let due = ringDeadline, due <= now.monotonic { clearRing(ringOrder.oldest!) }
  }

  /// Messages from before this moment are told to nobody.
  func oldestRemembered(_ now: Now) -> Timestamp {
    Timestamp(milliseconds: now.wall - Int64(configuration.historySeconds) * 1_000)
  }
}

extension PastMessage: RingEntry {
  private static let nothing = PastMessage(
    envelope: RelayEnvelope(text: [], visibleCount: 0, idRange: nil, clientIDRange: nil), sender: "", offset: 0)

  static var blank: PastMessage { nothing }

  /// The text, its header, and the entry itself.
  var cost: Int { envelope.text.count + 128 }

  /// Whether the message was said before `moment`.
  func isOlder(than moment: Timestamp) -> Bool {
    envelope.timestampRange.map { moment.isAfter(envelope.text[$0]) } ?? false
  }
}

extension RelayEnvelope {
  /// Where the 24 characters of the timestamp are. They are always right before the message id: `…Z","id":"…`.
  fileprivate var timestampRange: Range<Int>? {
    guard let end = idRange.map({ $0.lowerBound - 8 }), end > 24, text[end] == UInt8(ascii: "\""),
      text[end - 1] == UInt8(ascii: "Z"), text[end - 25] == UInt8(ascii: "\"")
    else { return nil }
    return end - 24..<end
  }
}
