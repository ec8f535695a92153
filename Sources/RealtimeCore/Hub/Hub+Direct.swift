import Buffers

// Messages to users, not to rooms: `private` to one, `chat` to all. They are not stored. A `private` goes to all nodes;
// each delivers to the user's connections it has and tells the asking node how many they were.

extension Hub {
  mutating func sendPrivate(_ connection: ConnectionID, _ recipient: String, _ text: ClientText, now: Now) {
    guard let user = user(of: connection) else { return }
    let id = Array(text.bytes[text.id])
    guard maySend(user, connection, id: id, now: now) else { return }
    guard relayState == .connected else {
      return refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: id)
    }
    let request = gatherings.begin(Gathering(asker: connection, purpose: .ack(id: id)), now: now)
    let (sender, stamp) = (users[user].identity, stamp(now))
    let payload = unsafe text.bytes.span.bytes.extracting(text.payload)
    let envelope = RelayEnvelope.private(
      to: recipient, payload: payload, sender: sender, timestamp: stamp, node: configuration.instance,
      origin: connection, scratch: &scratch)
    broadcast(envelope, version: request, .direct(request))
  }

  /// A private message for a user who may be here.
  mutating func deliverPrivate(_ frame: RelayFrame, _ bytes: RawSpan) {
    guard let recipient = frame.recipient else { return }
    answer(frame, bytes, reached: deliver(frame, bytes, to: recipient))
  }

  mutating func ackPrivate(_ connection: ConnectionID, id: [UInt8], reached: Int, isPartial: Bool) {
    guard connections[connection] != nil else { return }
    let text = write {
      ServerMessage.appendAck(recipients: reached, isPartial: isPartial, id: unsafe id.span.bytes, to: &$0)
    }
    output.actions.append(.text(connection, text))
  }

  // MARK: To everybody

  mutating func chat(_ connection: ConnectionID, _ text: ClientText, now: Now) {
    guard let user = user(of: connection) else { return }
    let id = Array(text.bytes[text.id])
    guard maySend(user, connection, id: id, now: now) else { return }
    guard relayState == .connected else {
      return refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: id)
    }
    let (sender, stamp) = (users[user].identity, stamp(now))
    let payload = unsafe text.bytes.span.bytes.extracting(text.payload)
    let envelope = RelayEnvelope.chat(
      payload: payload, sender: sender, timestamp: stamp, node: configuration.instance, origin: connection,
      scratch: &scratch)
    broadcast(envelope, .chat(connection, id: id))
  }

  mutating func chatAnswered(_ connection: ConnectionID, id: [UInt8], _ reply: RelayReply) {
    guard case .sent = reply else {
      return refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: id)
    }
    guard connections[connection] != nil else { return }
    let text = write { ServerMessage.appendAck(room: nil, id: unsafe id.span.bytes, to: &$0) }
    output.actions.append(.text(connection, text))
  }
}
