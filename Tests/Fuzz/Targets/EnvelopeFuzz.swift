import Buffers
import Foundation
import RealtimeCore

/// One message of a client, read by us and by Foundation.
///
/// - What our scanner takes, Foundation takes, and the other way round, but for `JSONDifference`.
/// - A message that we took means the same to Foundation: type, room, payload, id, recipient.
/// - What we refused as no message is none to Foundation, or has a key twice.
/// - What we pass on to other nodes they read back, payload byte for byte.
enum EnvelopeFuzz {
  static func run(_ bytes: [UInt8]) throws(Finding) {
    let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    let problem = JSONDifference.problem(in: bytes)
    if problem != .tooComplex, (problem == nil) != (theirs != nil), !JSONDifference.excuses(bytes, problem) {
      throw Finding(description: problem == nil ? "Foundation refuses what we take" : "Foundation takes what we refuse")
    }
    if JSONDifference.holdsMark(bytes) { return }
    switch unsafe parse(bytes.span.bytes) {
    case .success(let message): try accepted(message, bytes, theirs as? [String: Any])
    case .failure(let refusal):
      guard refusal.mistake == .invalidFormat, problem == nil, let theirs = theirs as? [String: Any] else { return }
      try demand(!(theirs["type"] is String) || JSONDifference.repeatsKey(bytes), "a message was refused as none")
    }
  }

  private static func parse(_ bytes: RawSpan) -> Result<ClientMessage, ClientMessage.Refusal> {
    do { return .success(try ClientMessage.parse(bytes)) } catch { return .failure(error) }
  }

  private static func accepted(_ message: ClientMessage, _ bytes: [UInt8], _ theirs: [String: Any]?) throws(Finding) {
    guard let theirs else {
      return try demand(JSONDifference.excuses(bytes, nil), "took what is no object")
    }
    try demand(theirs["type"] as? String == message.typeName, "is no \(message.typeName)")
    if let room = message.room {
      let payload = theirs["payload"] as? [String: Any]
      let given = [theirs["room"], payload?["room_id"]].compactMap { $0 as? String }.filter { !$0.isEmpty }
      try demand(
        !given.isEmpty && given.allSatisfy { $0.utf8.elementsEqual(room.text.utf8) }, "\(room) is not \(given)")
    }
    let id = message.id.map { unsafe String(decoding: ClientMessage.idKey($0, in: bytes.span.bytes), as: UTF8.self) }
    try demand((theirs["id"] as? String).map { Array($0.utf8) } == id.map { Array($0.utf8) }, "another id")
    if case .private(let recipient, _, _) = message {
      let given = (theirs["recipient_id"] as? String) ?? (theirs["recipient_id"] as? NSNumber)?.stringValue
      try demand(given.map { Array($0.utf8) } == Array(recipient.utf8), "\(recipient) is not \(given ?? "given")")
    }
    guard let payload = message.payload else { return }
    let slice = Data(bytes[payload])
    let value = try? JSONSerialization.jsonObject(with: slice, options: .fragmentsAllowed) as? NSObject
    try demand(value != nil && value == theirs["payload"] as? NSObject, "another payload")
    if let room = message.room { try passedOn(room, payload, message.id, bytes) }
  }

  private static func passedOn(
    _ room: RoomName, _ payload: Range<Int>, _ id: Range<Int>?, _ bytes: [UInt8]
  ) throws(Finding) {
    var scratch = ByteBuffer()
    let envelope = unsafe RelayEnvelope.message(
      room: room, payload: bytes.span.bytes.extracting(payload), sender: Identity(user: "7", name: "Ann \"A\""),
      timestamp: Timestamp(milliseconds: 1_760_000_000_000), id: MessageID(incarnation: "n1-abcdef", counter: 9),
      clientID: bytes.span.bytes.extracting(id ?? 0..<0), origin: ConnectionID(shard: 1, generation: 2, slot: 3),
      scratch: &scratch)
    var buffer = ByteBuffer()
    envelope.appendRelayFrame(to: &buffer, epoch: "e-1", offset: 4, token: "secret")
    let text = buffer.array()
    guard let frame = unsafe try? RelayFrame.parse(text.span.bytes) else {
      throw Finding(description: "our own frame is refused: \(String(decoding: text, as: UTF8.self))")
    }
    try demand(frame.kind == .newMessage && frame.room == room && frame.offset == 4, "our own frame is misread")
    try demand(text[frame.payload] == bytes[payload], "the payload changed on its way")
    var client = ByteBuffer()
    envelope.appendClientFrame(to: &client, offset: 4, includingClientID: true)
    try demand(JSONDifference.problem(in: client.array()) == nil, "what the client gets is no JSON")
    try demand(
      client.count == envelope.clientFrameCount(offset: 4, includingClientID: true), "the text has another length")
  }
}

extension ClientMessage {
  fileprivate var typeName: String {
    switch self {
    case .joinRoom: "join_room"
    case .leaveRoom: "leave_room"
    case .sendMessage: "send_message"
    case .typing(_, let isTyping, _): isTyping ? "typing" : "stop_typing"
    case .onlineUsers: "online_users"
    case .history: "history"
    case .private: "private"
    case .chat: "chat"
    case .refreshToken: "refresh_token"
    case .ping: "ping"
    }
  }

  fileprivate var payload: Range<Int>? {
    switch self {
    case .sendMessage(_, let payload, _), .private(_, let payload, _), .chat(let payload, _): payload
    default: nil
    }
  }
}
