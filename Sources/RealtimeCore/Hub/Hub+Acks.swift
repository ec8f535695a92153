// Acks that wait for their turn
//
// A stored message is acknowledged when the room's order reaches it. The order may never reach it: the stream may have
// to jump over its place (resync), or its sender may leave the room first. Then the ack is sent without its turn and
// does not move the client's position; and when the epoch of its place is gone with what was stored, the sender is told
// that the outcome is unknown.

import Buffers

extension Hub {
  /// A message of one of our connections is known to be stored; its ack waits until the order comes to it.
  mutating func awaitTurn(_ message: StoredMessage, at place: Position, room number: RoomNumber) {
    guard let origin = message.origin, connections[origin] != nil else { return }
    if let known = rooms[number].stream.position, known.epoch == place.epoch, place.offset <= known.offset { return }
    guard !rooms[number].awaitingTurn.contains(where: { $0.message.hash == message.hash && $0.place == place }) else {
      return
    }
    rooms[number].awaitingTurn.append((message, place))
  }

  /// The order came to the message.
  mutating func turnCame(for message: StoredMessage, room number: RoomNumber) {
    guard !rooms[number].awaitingTurn.isEmpty else { return }
    rooms[number].awaitingTurn.removeAll { $0.message.hash == message.hash }
  }

  /// The stream jumped: what lies behind it now gets its ack, what was stored in an epoch that is gone does not.
  mutating func settleTurns(room number: RoomNumber) {
    guard !rooms[number].awaitingTurn.isEmpty, let known = rooms[number].stream.position else { return }
    let waiting = rooms[number].awaitingTurn
    rooms[number].awaitingTurn = waiting.filter { $0.place.epoch == known.epoch && $0.place.offset > known.offset }
    for (message, place) in waiting {
      guard let origin = message.origin, connections[origin] != nil else { continue }
      if place.epoch != known.epoch {
        refuse(origin, .relayUnavailable(), id: message.envelope.clientID)
      } else if place.offset <= known.offset {
        acknowledge(message, to: origin, at: place, room: number)
      }
    }
  }

  /// The connection leaves the room: there is no order for it any more.
  mutating func settleTurns(of connection: ConnectionID, room number: RoomNumber) {
    let waiting = rooms[number].awaitingTurn.filter { $0.message.origin == connection }
    guard !waiting.isEmpty else { return }
    rooms[number].awaitingTurn.removeAll { $0.message.origin == connection }
    guard connections[connection] != nil else { return }
    for (message, place) in waiting { acknowledge(message, to: connection, at: place, room: number) }
  }

  /// Nobody hears the ack any more.
  mutating func forgetTurnsOfTheGone(room number: RoomNumber) {
    guard !rooms[number].awaitingTurn.isEmpty else { return }
    let gone = rooms[number].awaitingTurn.filter { connections[$0.message.origin!] == nil }.map(\.message.hash)
    rooms[number].awaitingTurn.removeAll { gone.contains($0.message.hash) }
  }

  /// The ack alone, for one who gets it outside the room's order. It says `dup`, because such an ack never moves the
  /// client's position.
  mutating func acknowledge(
    _ message: StoredMessage, to connection: ConnectionID, at place: Position, room: RoomNumber
  ) {
    let name = rooms[room].name
    let text = write {
      ServerMessage.appendAck(
        room: name, offset: place.offset, epoch: place.epoch,
        messageID: unsafe message.envelope.messageID.span.bytes, isDuplicate: true,
        id: unsafe message.envelope.clientID.span.bytes, to: &$0)
    }
    output.actions.append(.text(connection, text))
  }
}
