import Buffers

extension Hub {
  /// Something came over the relay channel. Only the generation's token makes it a node's word.
  mutating func frame(_ bytes: [UInt8], now: Now) {
    let span = unsafe bytes.span.bytes
    let frame: RelayFrame
    do { frame = try RelayFrame.parse(span) } catch { return drop("\(error)") }
    guard let token = frame.token else { return foreign(frame, span, now: now) }
    guard !generationToken.isEmpty, span.equals(generationToken, at: token) else { return drop("token") }
    switch frame.kind {
    case .newMessage: numbered(frame, span, now: now)
    case .userJoined, .userLeft: presenceChanged(frame, span, now: now)
    case .userTyping, .userStoppedTyping: typingChanged(frame, span, now: now)
    case .private: deliverPrivate(frame, span)
    case .chat, .notification: deliverWidely(frame, span)
    case .question: answerQuestion(frame, span, now: now)
    case .revoked: readRevocations(now: now)
    case .disconnect: closeUser(frame, span)
    }
  }

  private mutating func drop(_ reason: String) {
    counters.badFrames += 1
    output.actions.append(.notice(.badFrame(reason: reason)))
  }

  private mutating func numbered(_ frame: RelayFrame, _ bytes: RawSpan, now: Now) {
    guard let room = frame.room, let epoch = frame.epoch, let offset = frame.offset, frame.id != nil else {
      return drop("unnumbered")
    }
    guard let number = roomNumbers[room] else { return }
    let message = StoredMessage(frame, of: bytes, instance: configuration.instance, scratch: &scratch)
    arrive(message, at: Position(epoch: bytes.text(epoch), offset: offset), room: number, now: now)
  }

  /// Another program's message: outside all promises, and never presence.
  private mutating func foreign(_ frame: RelayFrame, _ bytes: RawSpan, now: Now) {
    switch frame.kind {
    case .newMessage:
      counters.foreignFrames += 1
      if let room = frame.room, let number = roomNumbers[room] { tell(number, frame, bytes, except: nil) }
    case .private where frame.recipient != nil:
      counters.foreignFrames += 1
      deliverPrivate(frame, bytes)
    case .chat, .notification:
      counters.foreignFrames += 1
      deliverWidely(frame, bytes)
    default:
      drop("foreign presence")
    }
  }

  mutating func tell(_ number: RoomNumber, _ frame: RelayFrame, _ bytes: RawSpan, except user: String?) {
    let text = writeFrame(frame, bytes)
    output.actions.append(.item(number, RoomItem(text: text, ownUser: user.flatMap { localUser($0) })))
  }

  /// What clients may see of a frame.
  mutating func writeFrame(_ frame: RelayFrame, _ bytes: RawSpan) -> TextRange {
    let envelope = RelayEnvelope(frame, of: bytes, scratch: &scratch)
    return write { envelope.appendClientFrame(to: &$0) }
  }

  private mutating func deliverWidely(_ frame: RelayFrame, _ bytes: RawSpan) {
    guard let recipient = frame.recipient else {
      output.actions.append(.everyone(writeFrame(frame, bytes)))
      return answer(frame, bytes, reached: connections.count)
    }
    answer(frame, bytes, reached: deliver(frame, bytes, to: recipient))
  }

  /// To every connection of a user here; answers how many there are.
  mutating func deliver(_ frame: RelayFrame, _ bytes: RawSpan, to recipient: String) -> Int {
    guard let user = localUser(recipient) else { return 0 }
    let text = writeFrame(frame, bytes)
    let connections = users[user].connections
    for connection in connections { output.actions.append(.text(connection, text)) }
    return connections.count
  }

  // MARK: Frames of our own

  /// Publishes an unnumbered frame of this generation.
  mutating func broadcast(_ envelope: RelayEnvelope, version: Int? = nil, _ question: Question = .nothing) {
    scratch.removeAll()
    envelope.appendRelayFrame(to: &scratch, version: version, token: generationToken)
    ask(.broadcast(scratch.array()), question)
  }
}

extension StoredMessage {
  /// A numbered frame that arrived.
  init(_ frame: RelayFrame, of bytes: RawSpan, instance: String, scratch: inout ByteBuffer) {
    // Another process' connection may have the same number.
    let isOurs = frame.node.map { bytes.equals(instance, at: $0) } ?? false
    // What a client says always has an origin.
    self.init(
      envelope: RelayEnvelope(frame, of: bytes, scratch: &scratch),
      sender: frame.origin == nil ? Self.backend : frame.senderID ?? Self.backend,
      origin: isOurs ? frame.origin : nil)
  }

  /// A message read from a room's history, which lacks its closing brace; `nil` when it is not one of ours.
  init?(stored text: [UInt8], instance: String, scratch: inout ByteBuffer) {
    let whole = text + [UInt8(ascii: "}")]
    let span = unsafe whole.span.bytes
    guard let frame = try? RelayFrame.parse(span), frame.kind == .newMessage, frame.id != nil else { return nil }
    self.init(frame, of: span, instance: instance, scratch: &scratch)
  }
}

extension RawSpan {
  /// Whether the bytes in `range` are those of `text`.
  fileprivate func equals(_ text: String, at range: Range<Int>) -> Bool {
    let wanted = unsafe text.utf8Span.span.bytes
    guard wanted.byteCount == range.count else { return false }
    for index in 0..<range.count where byte(range.lowerBound + index) != wanted.byte(index) { return false }
    return true
  }
}
