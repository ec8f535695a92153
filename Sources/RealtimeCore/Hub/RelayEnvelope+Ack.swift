import Buffers

extension RelayEnvelope {
  /// The server's id of the message, contents of a JSON string; empty for what has none.
  var messageID: [UInt8] { idRange.map { Array(text[$0]) } ?? [] }

  /// The client's own id, contents of a JSON string; empty when it gave none.
  var clientID: [UInt8] { clientIDRange.map { Array(text[$0]) } ?? [] }

  /// Names a message among the last few of its room.
  var messageIDHash: Int { Self.hash(text[idRange ?? 0..<0]) }

  /// Names what a client sent, however often it sends it: by its user and the client's own id.
  func retryKey(sender: String) -> Int {
    guard let range = clientIDRange else { return messageIDHash }
    return Self.hash(text[range], from: Self.hash(Array(sender.utf8)[...]))
  }

  /// FNV-1a (Fowler, Noll, Vo).
  private static func hash(_ bytes: ArraySlice<UInt8>, from start: Int = Int(bitPattern: 0xcbf2_9ce4_8422_2325)) -> Int
  {
    Int(bitPattern: bytes.reduce(UInt(bitPattern: start)) { ($0 ^ UInt($1)) &* 0x100_0000_01b3 })
  }

  /// Appends the ack of a stored message: its place in the room's order, told to who sent it.
  func appendAck(room: RoomName, at place: Position, to buffer: inout ByteBuffer) {
    let bytes = unsafe text.span.bytes
    let nothing = 0..<0
    ServerMessage.appendAck(
      room: room, offset: place.offset, epoch: place.epoch, messageID: bytes.extracting(idRange ?? nothing),
      id: bytes.extracting(clientIDRange ?? nothing), to: &buffer)
  }
}

extension Identity {
  /// Who a frame's sender is; `nil` when it names nobody.
  init?(_ frame: RelayFrame, in bytes: RawSpan) {
    guard let user = frame.senderID else { return nil }
    self.init(user: user, name: frame.sender.flatMap { Self.name(ofSender: $0, in: bytes) } ?? "")
  }

  /// The `name` within a sender object that was scanned before.
  private static func name(ofSender sender: Range<Int>, in bytes: RawSpan) -> String? {
    let object = bytes.extracting(sender)
    var scanner = JSONScanner()
    guard var key = try? scanner.enterObject(object) else { return nil }
    while true {
      guard let value = try? scanner.value(object) else { return nil }
      if key.matches("name", in: object) { return JSONString(value: value, in: object)?.text(in: object) }
      guard let next = try? scanner.nextKey(object) else { return nil }
      key = next
    }
  }
}
