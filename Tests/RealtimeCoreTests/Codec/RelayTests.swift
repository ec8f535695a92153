import Buffers
import RealtimeCore
import RoostTesting
import Testing

func parseFrame(_ bytes: [UInt8], byteLimit: Int = RelayFrame.byteLimit) throws(RelayFrameError) -> RelayFrame {
  try unsafe RelayFrame.parse(bytes.span.bytes, byteLimit: byteLimit)
}

@Suite struct RelayEnvelopeTests {
  let lobby = RoomName("lobby")!
  let noon = Timestamp(milliseconds: 43_200_000)
  let ann = Identity(user: "7", name: "Ann")!
  let origin = ConnectionID(shard: 1, generation: 2, slot: 3)

  func message(clientID: String = "", sender: Identity? = Identity(user: "7", name: "Ann")) -> RelayEnvelope {
    var scratch = ByteBuffer()
    let (payload, client) = (bytes(#"{ "content":"h\u0069" }"#), bytes(clientID))
    return unsafe RelayEnvelope.message(
      room: lobby, payload: payload.span.bytes, sender: sender, timestamp: noon,
      id: MessageID(incarnation: "n1", counter: 9), clientID: client.span.bytes, origin: origin, scratch: &scratch)
  }

  let visible =
    #"{"type":"new_message","room":"lobby","payload":{ "content":"h\u0069" },"sender":{"id":"7","name":"Ann"},"#
    + #""timestamp":"1970-01-01T12:00:00.000Z","id":"n1-9""#

  @Test func `a message has a visible front and a route behind it`() {
    let envelope = message(clientID: #"c\n"#)
    #expect(
      String(decoding: envelope.text, as: UTF8.self)
        == visible + #","client_id":"c\n","origin":"0100000200000003","node":"n1""#)
    #expect(envelope.visibleCount == visible.utf8.count)
    #expect(text(envelope.idRange, of: envelope.text) == "n1-9")
    #expect(text(envelope.clientIDRange, of: envelope.text) == #"c\n"#)
  }

  @Test func `clients get the front, their offset, and their own id back`() {
    let envelope = message(clientID: #"c\n"#)
    #expect(written { envelope.appendClientFrame(to: &$0, offset: 12) } == visible + #","offset":12}"#)
    #expect(
      written { envelope.appendClientFrame(to: &$0, offset: 12, includingClientID: true) }
        == visible + #","client_id":"c\n","offset":12}"#)
    #expect(
      written { message().appendClientFrame(to: &$0, offset: 1, includingClientID: true) }
        == visible + #","offset":1}"#)
    #expect(written { message().appendClientFrame(to: &$0) } == visible + "}")
  }

  @Test func `what the script publishes is read back, and gives the same client frames`() throws {
    let envelope = message(clientID: #"c\u0022"#)
    let published = bytes(written { envelope.appendRelayFrame(to: &$0, epoch: "e1", offset: 12, token: "t0") })
    let frame = try parseFrame(published)
    #expect(frame.kind == .newMessage && frame.room == lobby && frame.offset == 12 && frame.origin == origin)
    #expect(frame.senderID == "7" && frame.version == nil && frame.recipient == nil)
    #expect(text(frame.payload, of: published) == #"{ "content":"h\u0069" }"#)
    #expect(text(frame.sender, of: published) == #"{"id":"7","name":"Ann"}"#)
    #expect(text(frame.timestamp, of: published) == "1970-01-01T12:00:00.000Z")
    #expect(text(frame.id, of: published) == "n1-9" && text(frame.clientID, of: published) == #"c\u0022"#)
    #expect(text(frame.node, of: published) == "n1" && text(frame.epoch, of: published) == "e1")
    #expect(text(frame.token, of: published) == "t0")

    var scratch = ByteBuffer()
    let again = unsafe RelayEnvelope(frame, of: published.span.bytes, scratch: &scratch)
    #expect(again.visibleCount == envelope.visibleCount)
    #expect(again.idRange == envelope.idRange && again.clientIDRange == envelope.clientIDRange)
    for includingClientID in [true, false] {
      let original = written {
        envelope.appendClientFrame(to: &$0, offset: 12, includingClientID: includingClientID)
      }
      let rebuilt = written { again.appendClientFrame(to: &$0, offset: 12, includingClientID: includingClientID) }
      #expect(rebuilt == original)
    }
  }

  @Test(
    arguments: [
      (.userJoined, "user_joined"), (.userLeft, "user_left"), (.userTyping, "user_typing"),
      (.userStoppedTyping, "user_stopped_typing"),
    ] as [(RelayFrame.Kind, String)])
  func `members' events`(kind: RelayFrame.Kind, type: String) throws {
    var scratch = ByteBuffer()
    let envelope = RelayEnvelope.member(
      kind, room: lobby, user: ann, timestamp: noon, node: "n1", origin: origin, scratch: &scratch)
    #expect(
      written { envelope.appendClientFrame(to: &$0) }
        == #"{"type":"\#(type)","room":"lobby","payload":{"id":"7","name":"Ann"},"#
        + #""sender":{"id":"7","name":"Ann"},"timestamp":"1970-01-01T12:00:00.000Z"}"#)
    let published = bytes(written { envelope.appendRelayFrame(to: &$0, version: 8, count: 3, token: "t0") })
    let frame = try parseFrame(published)
    #expect(frame.kind == kind && frame.room == lobby && frame.senderID == "7" && frame.version == 8)
    #expect(frame.count == (kind == .userJoined || kind == .userLeft ? 3 : nil))
    #expect(text(frame.node, of: published) == "n1" && text(frame.token, of: published) == "t0")
  }

  @Test func `chat and private carry integer ids as numbers`() throws {
    var scratch = ByteBuffer()
    let payload = bytes("1")
    let bob = try #require(Identity(user: "b\"ob"))
    let chat = unsafe RelayEnvelope.chat(
      payload: payload.span.bytes, sender: ann, timestamp: noon, node: "n1", origin: origin, scratch: &scratch)
    #expect(
      written { chat.appendClientFrame(to: &$0) }
        == #"{"type":"chat","payload":1,"sender":{"id":"7","name":"Ann"},"#
        + #""timestamp":"1970-01-01T12:00:00.000Z","sender_id":7}"#)
    let direct = unsafe RelayEnvelope.private(
      to: "42", payload: payload.span.bytes, sender: bob, timestamp: noon, node: "n1", origin: nil, scratch: &scratch)
    let visible =
      #"{"type":"private","payload":1,"sender":{"id":"b\"ob","name":"b\"ob"},"#
      + #""timestamp":"1970-01-01T12:00:00.000Z","sender_id":"b\"ob","recipient_id":42}"#
    #expect(written { direct.appendClientFrame(to: &$0) } == visible)
    let published = bytes(written { direct.appendRelayFrame(to: &$0, token: "t0") })
    let frame = try parseFrame(published)
    #expect(frame.kind == .private && frame.recipient == "42" && frame.senderID == "b\"ob" && frame.origin == nil)
    let again = unsafe RelayEnvelope(frame, of: published.span.bytes, scratch: &scratch)
    #expect(written { again.appendClientFrame(to: &$0) } == visible)
  }

  @Test(arguments: [
    ("0", "0"), ("-5", "-5"), ("9223372036854775807", "9223372036854775807"), ("007", #""007""#), ("-0", #""-0""#),
    ("+1", #""+1""#), ("9223372036854775808", #""9223372036854775808""#), ("1.0", #""1.0""#), ("１", #""１""#),
  ])
  func `only canonical integers are numbers`(user: String, written expected: String) throws {
    var scratch = ByteBuffer()
    let payload = bytes("1")
    let sender: Identity = try #require(Identity(user: user))
    let envelope = unsafe RelayEnvelope.chat(
      payload: payload.span.bytes, sender: sender, timestamp: noon, node: "n1",
      origin: nil, scratch: &scratch)
    #expect(written { envelope.appendClientFrame(to: &$0) }.hasSuffix(#","sender_id":\#(expected)}"#))
  }

  @Test func `notifications`() throws {
    var scratch = ByteBuffer()
    let envelope = RelayEnvelope.notification(
      title: "T\t", body: "B", to: "bob", timestamp: noon, node: "n1", scratch: &scratch)
    #expect(
      written { envelope.appendClientFrame(to: &$0) }
        == #"{"type":"notification","payload":{"title":"T\t","body":"B"},"#
        + #""timestamp":"1970-01-01T12:00:00.000Z","recipient_id":"bob"}"#)
    let frame = try parseFrame(bytes(written { envelope.appendRelayFrame(to: &$0, token: "t0") }))
    #expect(frame.kind == .notification && frame.recipient == "bob")
  }
}

@Suite struct RelayFrameTests {
  @Test func `a foreign program's plain message is taken`() throws {
    let published = bytes(#"{"type":"new_message","room":"general","payload":{"content":"hi"}}"#)
    let frame = try parseFrame(published)
    #expect(frame.kind == .newMessage && frame.room?.text == "general" && frame.token == nil && frame.offset == nil)
    var scratch = ByteBuffer()
    let envelope = unsafe RelayEnvelope(frame, of: published.span.bytes, scratch: &scratch)
    #expect(written { envelope.appendClientFrame(to: &$0) } == String(decoding: published, as: UTF8.self))
  }

  @Test func `nothing but the known keys gets through, in our order`() throws {
    let published = bytes(
      #" { "token":"t","evil":"x","payload" : 1,"n\u006fde":"n","timestamp":"now","sender":{"id":7,"extra":[]},"#
        + #""offset":3, "room":"r","id":"i","type":"new_message","origin":"00000000000000ff","epoch":"e"} "#)
    let frame = try parseFrame(published)
    #expect(frame.origin?.rawValue == 255 && frame.senderID == "7" && frame.offset == 3)
    var scratch = ByteBuffer()
    let envelope = unsafe RelayEnvelope(frame, of: published.span.bytes, scratch: &scratch)
    #expect(
      written { envelope.appendClientFrame(to: &$0, offset: 3) }
        == #"{"type":"new_message","room":"r","payload":1,"sender":{"id":7,"extra":[]},"#
        + #""timestamp":"now","id":"i","offset":3}"#
    )
  }

  @Test(
    arguments: [
      ("", .malformed), ("1", .malformed), ("[]", .malformed), ("hello", .malformed),
      (#"{"type":"new_message","room":"r","payload":1}x"#, .malformed),
      (#"{"type":"new_message","type":"chat","room":"r","payload":1}"#, .malformed),
      ("{}", .unknownType), (#"{"type":"ack","payload":1}"#, .unknownType), (#"{"type":1}"#, .unknownType),
      (#"{"type":"new_message","payload":1}"#, .badRoom), (#"{"type":"new_message","room":"","payload":1}"#, .badRoom),
      (#"{"type":"new_message","room":"a b","payload":1}"#, .badRoom),
      (#"{"type":"new_message","room":"a","payload":{"room_id":"b"}}"#, .badRoom),
      (#"{"type":"user_joined","payload":{},"sender":{"id":"a"}}"#, .badRoom),
      (#"{"type":"new_message","room":"r"}"#, .badField), (#"{"type":"chat"}"#, .badField),
      (#"{"type":"user_joined","room":"r","payload":{}}"#, .badField),
      (#"{"type":"user_left","room":"r","payload":{},"sender":{"id":"a"},"count":-1}"#, .badField),
      (#"{"type":"user_left","room":"r","payload":{},"sender":{"id":"a"},"count":1000000001}"#, .badField),
      (#"{"type":"chat","payload":1,"sender":"ann"}"#, .badField),
      (#"{"type":"chat","payload":1,"sender":{}}"#, .badField),
      (#"{"type":"chat","payload":1,"sender":{"id":""}}"#, .badField),
      (#"{"type":"chat","payload":1,"sender":{"id":"a","id":"b"}}"#, .badField),
      (#"{"type":"chat","payload":1,"timestamp":5}"#, .badField), (#"{"type":"chat","payload":1,"id":5}"#, .badField),
      (#"{"type":"chat","payload":1,"id":""}"#, .badField), (#"{"type":"chat","payload":1,"token":null}"#, .badField),
      (#"{"type":"chat","payload":1,"node":{}}"#, .badField), (#"{"type":"chat","payload":1,"epoch":1}"#, .badField),
      (#"{"type":"chat","payload":1,"client_id":1}"#, .badField),
      (#"{"type":"chat","payload":1,"origin":"zz"}"#, .badField),
      (#"{"type":"chat","payload":1,"origin":"000000000000000g"}"#, .badField),
      (#"{"type":"chat","payload":1,"offset":0}"#, .badField), (#"{"type":"chat","payload":1,"offset":-1}"#, .badField),
      (#"{"type":"chat","payload":1,"offset":1.5}"#, .badField),
      (#"{"type":"chat","payload":1,"offset":"1"}"#, .badField),
      (#"{"type":"chat","payload":1,"offset":9223372036854775808}"#, .badField),
      (#"{"type":"chat","payload":1,"offset":9007199254740992}"#, .badField),
      (#"{"type":"chat","payload":1,"version":9007199254740992}"#, .badField),
      (#"{"type":"chat","payload":1,"version":1e3}"#, .badField), (#"{"type":"private","payload":1}"#, .badField),
      (#"{"type":"private","payload":1,"recipient_id":[]}"#, .badField),
      (#"{"type":"disconnect","payload":"x"}"#, .badField), (#"{"type":"revoked"}"#, .badField),
      (#"{"type":"chat","payload":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["#, .tooComplex),
    ] as [(String, RelayFrameError)])
  func `what is refused`(text: String, error: RelayFrameError) {
    #expect(throws: error) { try parseFrame(bytes(text)) }
  }

  @Test func `too long is refused unread`() throws {
    let text = bytes(#"{"type":"chat","payload":1}"#)
    _ = try parseFrame(text, byteLimit: text.count)
    #expect(throws: RelayFrameError.tooLarge) { try parseFrame(text, byteLimit: text.count - 1) }
  }

  /// Our own frame around the widest message we take from a client must not be too wide itself.
  @Test func `what clients may send fits through the relay`() throws {
    let payload = "{" + (0..<1_020).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    _ = try #require(parse(#"{"type":"send_message","room":"r","id":"c","payload":\#(payload)}"#))
    let (value, client) = (bytes(payload), bytes("c"))
    var scratch = ByteBuffer()
    let envelope = unsafe RelayEnvelope.message(
      room: RoomName("r")!, payload: value.span.bytes, sender: Identity(user: "u"),
      timestamp: Timestamp(milliseconds: 0),
      id: MessageID(incarnation: "n", counter: 1), clientID: client.span.bytes, origin: ConnectionID(rawValue: 1),
      scratch: &scratch)
    _ = try parseFrame(bytes(written { envelope.appendRelayFrame(to: &$0, epoch: "e", offset: 1, token: "t") }))
  }

  /// Every part as long as it can be, and of characters that grow.
  @Test func `the longest message fits into a frame`() throws {
    let payload = bytes("\"" + String(repeating: "x", count: RelayFrame.messageLimit - 2) + "\"")
    let client = bytes(String(repeating: #"\u0001\u0001"#, count: ClientMessage.idLimit))
    let name = String(repeating: "\u{8}", count: 4_096 * 3 / 4 / 2)
    let sender = try #require(Identity(user: String(repeating: "\u{1}", count: Identity.userByteLimit), name: name))
    let longest = String(repeating: "x", count: 128)
    var scratch = ByteBuffer()
    let envelope = unsafe RelayEnvelope.message(
      room: try #require(RoomName(longest)), payload: payload.span.bytes, sender: sender,
      timestamp: Timestamp(milliseconds: 0),
      id: MessageID(incarnation: String(longest.prefix(96)), counter: UInt(RelayLimits.highestNumber)),
      clientID: client.span.bytes, origin: ConnectionID(rawValue: 1), scratch: &scratch)
    let frame = written {
      envelope.appendRelayFrame(to: &$0, epoch: longest, offset: RelayLimits.highestNumber, token: longest)
    }
    #expect(try parseFrame(bytes(frame)).payload.count == RelayFrame.messageLimit)
  }

  /// Damage anywhere: a frame or an error; and what goes to clients from a frame is always JSON.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func `any bytes`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var message = bytes(
      #"{"type":"private","room":"r","payload":{"a":"\u0062"},"sender":{"id":"7","name":"Ann"},"timestamp":"now","#
        + #""id":"n1-9","recipient_id":42,"client_id":"c\n","origin":"0100000200000003","node":"n1","token":"t"}"#)
    var scratch = ByteBuffer()
    for _ in 0..<30 {
      JSONDocument.damage(&message, using: &generator)
      guard let frame = try? parseFrame(message) else { continue }
      let envelope = unsafe RelayEnvelope(frame, of: message.span.bytes, scratch: &scratch)
      let shown = written { envelope.appendClientFrame(to: &$0, offset: 1, includingClientID: true) }
      #expect(scan(bytes(shown)) == nil, "\(shown)")
    }
  }
}
