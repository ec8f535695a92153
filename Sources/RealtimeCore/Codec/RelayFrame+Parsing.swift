extension RelayFrame {
  /// Reads one frame. Keys may come in any order; unknown ones are passed over.
  ///
  /// - Parameter byteLimit: longer frames are refused unread.
  public static func parse(
    _ bytes: RawSpan, byteLimit: Int = Self.byteLimit
  ) throws(RelayFrameError) -> RelayFrame {
    guard bytes.byteCount <= byteLimit else { throw .tooLarge }
    let envelope: Envelope
    do { envelope = try Envelope(bytes, keyLimit: keyLimit) } catch {
      throw error == .tooComplex ? .tooComplex : .malformed
    }
    guard let type = envelope.string(.type, in: bytes), let kind = Kind(type, in: bytes) else { throw .unknownType }
    return try RelayFrame(kind, envelope, bytes)
  }

  private init(_ kind: Kind, _ envelope: Envelope, _ bytes: RawSpan) throws(RelayFrameError) {
    self.kind = kind
    room = kind.needsRoom ? try Self.room(envelope, bytes) : nil
    guard let payload = envelope[.payload] else { throw .badField }
    self.payload = payload
    sender = envelope[.sender]
    senderID = try sender.map { (value) throws(RelayFrameError) in try Self.userID(ofSender: value, bytes) }
    if kind.needsSender, sender == nil { throw .badField }
    timestamp = try Self.text(.timestamp, envelope, bytes)
    id = try Self.text(.id, envelope, bytes)
    clientID = try Self.text(.clientID, envelope, bytes)
    node = try Self.text(.node, envelope, bytes)
    epoch = try Self.text(.epoch, envelope, bytes)
    token = try Self.text(.token, envelope, bytes)
    offset = try Self.integer(.offset, atLeast: 1, envelope, bytes)
    version = try Self.integer(.version, atLeast: 0, envelope, bytes)
    count = kind == .userJoined || kind == .userLeft ? try Self.count(envelope, bytes) : nil
    recipient = try Self.recipient(kind, envelope, bytes)
    origin = try Self.text(.origin, envelope, bytes).map { (range) throws(RelayFrameError) in
      guard let id = ConnectionID(bytes, hex: range) else { throw .badField }
      return id
    }
  }

  private static func room(_ envelope: Envelope, _ bytes: RawSpan) throws(RelayFrameError) -> RoomName {
    do {
      if let room = try envelope.room(in: bytes) { return room }
    } catch {
      throw .badRoom
    }
    throw .badRoom
  }

  /// The contents of a string, or `nil` when it is not there: 1 to 128 bytes, which is more than any of ours has. A
  /// client's id may have 64 characters, each written as two escapes of six bytes.
  private static func text(
    _ key: EnvelopeKey, _ envelope: Envelope, _ bytes: RawSpan
  ) throws(RelayFrameError) -> Range<Int>? {
    guard let value = envelope[key] else { return nil }
    let limit = key == .clientID ? 12 * ClientMessage.idLimit : 128
    guard let contents = JSONString.contents(ofValue: value, in: bytes), 1...limit ~= contents.count else {
      throw .badField
    }
    return contents
  }

  private static func integer(
    _ key: EnvelopeKey, atLeast minimum: Int, _ envelope: Envelope, _ bytes: RawSpan
  ) throws(RelayFrameError) -> Int? {
    guard let value = envelope[key] else { return nil }
    guard let number = JSONNumber.integer(bytes, value), minimum...RelayLimits.highestNumber ~= number else {
      throw .badField
    }
    return number
  }

  private static func count(_ envelope: Envelope, _ bytes: RawSpan) throws(RelayFrameError) -> Int? {
    let count = try integer(.count, atLeast: 0, envelope, bytes)
    guard count ?? 0 <= countLimit else { throw .badField }
    return count
  }

  private static func recipient(
    _ kind: Kind, _ envelope: Envelope, _ bytes: RawSpan
  ) throws(RelayFrameError) -> String? {
    let isRequired = kind == .private || kind == .disconnect
    guard isRequired || kind == .notification || kind == .question, let value = envelope[.recipient] else {
      if isRequired { throw .badField }
      return nil
    }
    guard let user = RealtimeCore.userID(value, bytes) else { throw .badField }
    return user
  }

  /// The `id` in a sender, which must be an object with exactly one.
  private static func userID(ofSender sender: Range<Int>, _ bytes: RawSpan) throws(RelayFrameError) -> String {
    var found: Range<Int>?
    do {
      var scanner = JSONScanner(at: sender.lowerBound, keyLimit: keyLimit)
      var next = try scanner.enterObject(bytes)
      while let key = next {
        let value = try scanner.value(bytes)
        if key.matches("id", in: bytes) {
          guard found == nil else { throw JSONProblem.malformed }
          found = value
        }
        next = try scanner.nextKey(bytes)
      }
    } catch {
      throw .badField
    }
    guard let found, let user = RealtimeCore.userID(found, bytes) else { throw .badField }
    return user
  }
}

extension RelayFrame.Kind {
  /// `nil` when `type` names no kind of frame.
  init?(_ type: JSONString, in bytes: RawSpan) {
    if type.matches(Self.newMessage.name, in: bytes) {
      self = .newMessage  // nearly always
      return
    }
    for kind in Self.allCases where type.matches(kind.name, in: bytes) {
      self = kind
      return
    }
    return nil
  }
}
