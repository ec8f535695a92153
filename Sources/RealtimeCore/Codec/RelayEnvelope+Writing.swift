public import Buffers

// Each of these uses `scratch`, a buffer whose memory lives as long as its loop, so that the only allocation is the
// envelope's own text.

extension RelayEnvelope {
  /// A room's `new_message`.
  ///
  /// - Parameters:
  ///   - payload: one JSON value, passed on byte for byte.
  ///   - sender: `nil` when a backend sends in nobody's name.
  ///   - clientID: the sender's own id as ``ClientMessage`` gave it; empty when none was given.
  ///   - origin: the connection that sent it and does not get it back.
  public static func message(
    room: RoomName, payload: RawSpan, sender: Identity?, timestamp: Timestamp, id: MessageID, clientID: RawSpan,
    origin: ConnectionID?, scratch: inout ByteBuffer
  ) -> RelayEnvelope {
    scratch.open(.newMessage, room: room, payload: payload, sender: sender, timestamp: timestamp)
    scratch.append(#","id":""#)
    let start = scratch.count
    id.append(to: &scratch)
    let idRange = start..<scratch.count
    scratch.append(UInt8(ascii: "\""))
    let visibleCount = scratch.count
    let clientIDRange = scratch.appendMember(clientID: clientID)
    scratch.appendRoute(node: id.incarnation, origin: origin)
    return RelayEnvelope(
      text: scratch.array(), visibleCount: visibleCount, idRange: idRange, clientIDRange: clientIDRange)
  }

  /// A user who joined, left, started or stopped typing. The user is both the payload and the sender.
  public static func member(
    _ kind: RelayFrame.Kind, room: RoomName, user: Identity, timestamp: Timestamp, node: String,
    origin: ConnectionID? = nil, scratch: inout ByteBuffer
  ) -> RelayEnvelope {
    precondition(kind.needsSender, "not about a member")
    scratch.removeAll()
    scratch.openMessage(kind.name)
    scratch.appendMember(room: room)
    scratch.append(#","payload":"#)
    scratch.append(user: user)
    scratch.appendMember(sender: user)
    scratch.appendMember(timestamp: timestamp)
    return unnumbered(node: node, origin: origin, &scratch)
  }

  /// A message to every connection.
  ///
  /// - Parameter sender: `nil` when a backend sends in nobody's name.
  public static func chat(
    payload: RawSpan, sender: Identity?, timestamp: Timestamp, node: String, origin: ConnectionID?,
    scratch: inout ByteBuffer
  ) -> RelayEnvelope {
    scratch.open(.chat, payload: payload, sender: sender, timestamp: timestamp)
    if let sender { scratch.appendMember(senderID: sender.user) }
    return unnumbered(node: node, origin: origin, &scratch)
  }

  /// A message to every connection of one user.
  public static func `private`(
    to recipient: String, payload: RawSpan, sender: Identity?, timestamp: Timestamp, node: String,
    origin: ConnectionID?, scratch: inout ByteBuffer
  ) -> RelayEnvelope {
    scratch.open(.private, payload: payload, sender: sender, timestamp: timestamp)
    if let sender { scratch.appendMember(senderID: sender.user) }
    scratch.appendMember(recipient: recipient)
    return unnumbered(node: node, origin: origin, &scratch)
  }

  /// Something a backend wants one user, or everybody, to see.
  public static func notification(
    title: String, body: String, to recipient: String?, timestamp: Timestamp, node: String,
    scratch: inout ByteBuffer
  ) -> RelayEnvelope {
    scratch.removeAll()
    scratch.openMessage(RelayFrame.Kind.notification.name)
    scratch.append(#","payload":{"title":"#)
    scratch.append(jsonString: title)
    scratch.append(#","body":"#)
    scratch.append(jsonString: body)
    scratch.append(UInt8(ascii: "}"))
    scratch.appendMember(timestamp: timestamp)
    if let recipient { scratch.appendMember(recipient: recipient) }
    return unnumbered(node: node, origin: nil, &scratch)
  }

  /// For nodes: the user's connections are to be closed, with these words.
  static func disconnect(
    _ user: String, reason: String, node: String, scratch: inout ByteBuffer
  ) -> RelayEnvelope {
    scratch.removeAll()
    scratch.openMessage(RelayFrame.Kind.disconnect.name)
    scratch.append(#","payload":"#)
    scratch.append(jsonString: reason)
    scratch.appendMember(recipient: user)
    return unnumbered(node: node, origin: nil, &scratch)
  }

  /// For nodes: something one of them wants to know, perhaps about a user.
  static func question(
    _ words: String, about user: String?, node: String, scratch: inout ByteBuffer
  ) -> RelayEnvelope {
    scratch.removeAll()
    scratch.openMessage(RelayFrame.Kind.question.name)
    scratch.append(#","payload":"#)
    scratch.append(jsonString: words)
    if let user { scratch.appendMember(recipient: user) }
    return unnumbered(node: node, origin: nil, &scratch)
  }

  /// What clients may see of a frame that arrived, put in our own order, so that nothing else ever gets through.
  public init(_ frame: RelayFrame, of bytes: RawSpan, scratch: inout ByteBuffer) {
    scratch.removeAll()
    scratch.openMessage(frame.kind.name)
    if let room = frame.room { scratch.appendMember(room: room) }
    scratch.appendMember(payload: bytes.extracting(frame.payload))
    if let sender = frame.sender {
      scratch.append(#","sender":"#)
      scratch.append(bytes.extracting(sender))
    }
    if let timestamp = frame.timestamp {
      scratch.append(#","timestamp":""#)
      scratch.append(bytes.extracting(timestamp))
      scratch.append(UInt8(ascii: "\""))
    }
    idRange = frame.id.map { id in
      scratch.appendMember(id: bytes.extracting(id))
      return scratch.count - 1 - id.count..<scratch.count - 1
    }
    if frame.kind == .chat || frame.kind == .private, let sender = frame.senderID {
      scratch.appendMember(senderID: sender)
    }
    if let recipient = frame.recipient { scratch.appendMember(recipient: recipient) }
    visibleCount = scratch.count
    clientIDRange = frame.clientID.flatMap { scratch.appendMember(clientID: bytes.extracting($0)) }
    text = scratch.array()
  }

  private static func unnumbered(node: String, origin: ConnectionID?, _ scratch: inout ByteBuffer) -> RelayEnvelope {
    let visibleCount = scratch.count
    scratch.appendRoute(node: node, origin: origin)
    return RelayEnvelope(text: scratch.array(), visibleCount: visibleCount, idRange: nil, clientIDRange: nil)
  }
}

extension ByteBuffer {
  fileprivate mutating func open(
    _ kind: RelayFrame.Kind, room: RoomName? = nil, payload: RawSpan, sender: Identity?, timestamp: Timestamp
  ) {
    removeAll()
    openMessage(kind.name)
    if let room { appendMember(room: room) }
    appendMember(payload: payload)
    if let sender { appendMember(sender: sender) }
    appendMember(timestamp: timestamp)
  }

  fileprivate mutating func appendMember(senderID: String) {
    append(#","sender_id":"#)
    append(numberOrString: senderID)
  }

  fileprivate mutating func appendMember(recipient: String) {
    append(#","recipient_id":"#)
    append(numberOrString: recipient)
  }

  /// Answers where the contents are, or `nil` when there are none.
  fileprivate mutating func appendMember(clientID: RawSpan) -> Range<Int>? {
    guard clientID.byteCount > 0 else { return nil }
    append(#","client_id":""#)
    let start = count
    append(clientID)
    append(UInt8(ascii: "\""))
    return start..<start + clientID.byteCount
  }

  /// What only nodes see: where the message comes from.
  fileprivate mutating func appendRoute(node: String, origin: ConnectionID?) {
    if let origin {
      append(#","origin":""#)
      origin.appendHex(to: &self)
      append(UInt8(ascii: "\""))
    }
    append(#","node":"#)
    append(jsonString: node)
  }
}
