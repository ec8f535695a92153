import Buffers

// Messages to users, not to rooms: `private` to one, `chat` to all. They are not stored. A backend's wish to close a
// user's connections goes the same way.
//
// A `private` goes to all nodes; each delivers to the user's connections it has and tells the asking node how many
// they were, on that node's own channel. The ack waits for everybody who was handed the frame and for every node with
// a lease (a node that has just come is only among the first, one that is cut off only among the second), half a
// second at most. Other programs that listen on the channel never answer: they delay the ack, and do not make it
// partial.

/// Private messages, and wishes to close, whose nodes have not all answered.
struct PrivateMessages {
  static let patience: Int64 = 500

  struct Waiting {
    /// Who is told how many were reached.
    let connection: ConnectionID
    let id: [UInt8]
    /// A backend asked to close the user's connections with these words, and gets no ack.
    var closing: (user: String, reason: String)?
    var reached = 0
    var answered = 0
    /// How many must answer; `nil` until the relay told how many were handed the frame.
    var expected: Int?
  }

  var waiting: [Int: Waiting] = [:]
  var timeouts = DelayQueue<Int>()
  private var last = 0

  /// Whether the connection waits for how many were reached.
  func owes(_ connection: ConnectionID) -> Bool { waiting.values.contains { $0.connection == connection } }

  /// Numbers what is about to be asked.
  mutating func begin(_ asked: Waiting, now: Now) -> Int {
    last += 1
    waiting[last] = asked
    timeouts.append(last, due: now.monotonic + Self.patience)
    return last
  }
}

extension Hub {
  mutating func sendPrivate(_ connection: ConnectionID, _ recipient: String, _ text: ClientText, now: Now) {
    guard let user = user(of: connection) else { return }
    let id = Array(text.bytes[text.id])
    guard maySend(user, connection, id: id, now: now) else { return }
    guard relayState == .connected else {
      return refuse(connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: id)
    }
    let request = privates.begin(.init(connection: connection, id: id), now: now)
    let (sender, stamp) = (users[user].identity, stamp(now))
    let payload = unsafe text.bytes.span.bytes.extracting(text.payload)
    let envelope = RelayEnvelope.private(
      to: recipient, payload: payload, sender: sender, timestamp: stamp, node: configuration.instance,
      origin: connection, scratch: &scratch)
    broadcast(envelope, version: request, .direct(request))
  }

  /// The relay handed the frame on.
  mutating func privateSent(_ request: Int, _ reply: RelayReply) {
    guard privates.waiting[request] != nil else { return }
    guard case .sent(let receivers) = reply else {
      let lost = privates.waiting.removeValue(forKey: request)!
      if let (user, reason) = lost.closing { return closeHere(user, reason: reason, for: lost.connection) }
      return refuse(lost.connection, .relayUnavailable(retryAfterMilliseconds: 1_000), id: lost.id)
    }
    privates.waiting[request]!.expected = max(receivers, presence.nodes.count)
    finishPrivate(request)
  }

  /// A private message for a user who may be here.
  mutating func deliverPrivate(_ frame: RelayFrame, _ bytes: RawSpan) {
    guard let recipient = frame.recipient else { return }
    answer(frame, bytes, reached: deliver(frame, bytes, to: recipient))
  }

  /// Tells the node that asked.
  mutating func answer(_ frame: RelayFrame, _ bytes: RawSpan, reached: Int) {
    guard frame.token != nil, let request = frame.version, let node = frame.node else { return }
    let asker = bytes.text(node)
    if asker == configuration.instance { return reach(request, reached) }
    ask(.send(node: asker, Array("reached \(request) \(reached) \(generationToken)".utf8)), .nothing)
  }

  /// Something on this node's own channel: `reached <request> <connections> <token>`, `drain <request> <node> <token>`
  /// or `drains <request> <node> <token>`.
  mutating func directed(_ bytes: [UInt8], now: Now) {
    let words = bytes.split(separator: UInt8(ascii: " "), maxSplits: 4).map { String(decoding: $0, as: UTF8.self) }
    guard words.count == 4, words[3] == generationToken, !generationToken.isEmpty, let request = Int(words[1]) else {
      counters.badFrames += 1
      return
    }
    switch words[0] {
    case "drain": drainWanted(by: words[2], request)
    case "drains": drains(words[2], request)
    case "reached":
      guard let reached = Int(words[2]), (0...1_000_000).contains(reached) else { fallthrough }
      reach(request, reached)
    default: counters.badFrames += 1
    }
  }

  mutating func tickPrivates(now: Now) {
    while let request = privates.timeouts.popDue(now: now.monotonic) {
      guard let late = privates.waiting.removeValue(forKey: request) else { continue }
      ackPrivate(late, isPartial: late.answered < presence.nodes.count)
    }
  }

  private mutating func reach(_ request: Int, _ reached: Int) {
    guard privates.waiting[request] != nil else { return }
    privates.waiting[request]!.reached += reached
    privates.waiting[request]!.answered += 1
    finishPrivate(request)
  }

  private mutating func finishPrivate(_ request: Int) {
    guard let message = privates.waiting[request], let expected = message.expected, message.answered >= expected
    else { return }
    privates.waiting[request] = nil
    ackPrivate(message, isPartial: false)
  }

  private mutating func ackPrivate(_ message: PrivateMessages.Waiting, isPartial: Bool) {
    guard message.closing == nil else {
      let answer = BackendAnswer.disconnected(connections: message.reached, isPartial: isPartial)
      return output.actions.append(.backend(message.connection, answer))
    }
    guard connections[message.connection] != nil else { return }
    let text = write {
      ServerMessage.appendAck(
        recipients: message.reached, isPartial: isPartial, id: unsafe message.id.span.bytes, to: &$0)
    }
    output.actions.append(.text(message.connection, text))
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
