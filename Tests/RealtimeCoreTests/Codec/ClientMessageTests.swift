import RealtimeCore
import RoostTesting
import Testing

func parse(_ text: String, payloadLimit: Int = .max) -> ClientMessage? {
  let bytes = bytes(text)
  return try? unsafe ClientMessage.parse(bytes.span.bytes, payloadLimit: payloadLimit)
}

func refusal(_ text: String, payloadLimit: Int = .max) -> ClientMessage.Refusal? {
  let bytes = bytes(text)
  do {
    _ = try unsafe ClientMessage.parse(bytes.span.bytes, payloadLimit: payloadLimit)
    return nil
  } catch {
    return error
  }
}

@Suite struct ClientMessageTests {
  let lobby = RoomName("lobby")!

  @Test func `every type is read`() {
    #expect(parse(#"{"type":"join_room","payload":{"room_id":"lobby"}}"#) == .joinRoom(lobby, JoinWish(), id: nil))
    #expect(parse(#"{"type":"leave_room","payload":{"room_id":"lobby"}}"#) == .leaveRoom(lobby, id: nil))
    #expect(parse(#"{"type":"online_users","room":"lobby"}"#) == .onlineUsers(lobby, id: nil))
    #expect(parse(#"{"type":"typing","room":"lobby"}"#) == .typing(lobby, isTyping: true, id: nil))
    #expect(parse(#"{"type":"stop_typing","room":"lobby"}"#) == .typing(lobby, isTyping: false, id: nil))
    #expect(parse(#"{"type":"ping","id":"7"}"#) == .ping(id: 21..<22))
    #expect(parse(#"{"type":"chat","payload":"hi"}"#) == .chat(payload: 25..<29, id: nil))
    #expect(
      parse(#"{"type":"send_message","room":"lobby","payload":{"content":"hi"},"id":"a1"}"#)
        == .sendMessage(lobby, payload: 48..<64, id: 71..<73))
    #expect(
      parse(#"{"type":"private","recipient_id":42,"payload":[1]}"#)
        == .private(recipient: "42", payload: 46..<49, id: nil))
  }

  @Test(arguments: [
    #"{"type":"send_message","room":"lobby","payload":1}"#,
    #"{"type":"send_message","payload":{"room_id":"lobby"}}"#,
    #"{"type":"send_message","room":"","payload":{"room_id":"lobby"}}"#,
    #"{"type":"send_message","room":null,"payload":{"room_id":"lobby"}}"#,
    #"{"type":"send_message","room":"lobby","payload":{"room_id":""}}"#,
    #"{"type":"send_message","room":"lobby","payload":{"a":1,"room_id":"lobby","b":2}}"#,
    #"{"payload":{"room_id":"lobby"},"type":"send_message"}"#,
    #"{"t\u0079pe":"send_messag\u0065","payload":{"room\u005fid":"lobb\u0079"}}"#,
    #" { "type" : "send_message" , "room" : "lobby" , "payload" : null } "#,
    #"{"type":"send_message","room":"lobby","payload":"x","timestamp":{},"sender":5,"offset":"n","token":[],"zz":0}"#,
  ])
  func `the room may stand in two places and in any order`(text: String) {
    guard case .sendMessage(let room, _, id: nil) = parse(text) else {
      Issue.record("not a send_message")
      return
    }
    #expect(room == lobby)
  }

  @Test(
    arguments: [
      ("", .invalidFormat), ("[]", .invalidFormat), ("\"ping\"", .invalidFormat), ("{}", .invalidFormat),
      (#"{"type":5}"#, .invalidFormat), (#"{"type":null}"#, .invalidFormat),
      (#"{"type":"ping"}{"type":"ping"}"#, .invalidFormat),
      ("{\"type\":\"ping\"}\n{\"type\":\"ping\"}", .invalidFormat), (#"{"type":"ping","x":NaN}"#, .invalidFormat),
      (#"{"type":"ping","x":"\uD800"}"#, .invalidFormat), (#"{"type":"ping","\uDC00":1}"#, .invalidFormat),
      (#"{"type":"dance"}"#, .unknownType("dance")), (#"{"type":""}"#, .unknownType("")),
      (#"{"type":"histories","room":"lobby"}"#, .unknownType("histories")),
      (#"{"type":"Ping"}"#, .unknownType("Ping")), (#"{"type":"p\u0000\"ing"}"#, .unknownType("p\0\"ing")),
      (#"{"type":"send_message","payload":1}"#, .missingRoom),
      (#"{"type":"send_message","room":"","payload":{"room_id":""}}"#, .missingRoom),
      (#"{"type":"send_message","room":"lobby"}"#, .invalidPayload),
      (#"{"type":"send_message","room":"a b","payload":1}"#, .invalidRoom),
      (#"{"type":"send_message","room":7,"payload":1}"#, .invalidRoom),
      (#"{"type":"send_message","room":"a","payload":{"room_id":"b"}}"#, .invalidRoom),
      (#"{"type":"send_message","room":"a","payload":{"room_id":1}}"#, .invalidRoom),
      (#"{"type":"join_room"}"#, .invalidPayload), (#"{"type":"join_room","payload":{}}"#, .invalidPayload),
      (#"{"type":"join_room","room":"a","payload":"b"}"#, .invalidPayload),
      (#"{"type":"join_room","room":"a","payload":null}"#, .invalidPayload),
      (#"{"type":"leave_room","payload":["room_id"]}"#, .invalidPayload), (#"{"type":"typing"}"#, .invalidPayload),
      (#"{"type":"online_users","payload":{"room_id":"a|b"}}"#, .invalidRoom),
      (#"{"type":"private","payload":1}"#, .invalidPayload),
      (#"{"type":"private","recipient_id":"bob"}"#, .invalidPayload),
      (#"{"type":"private","recipient_id":"","payload":1}"#, .invalidPayload),
      (#"{"type":"private","recipient_id":1.5,"payload":1}"#, .invalidPayload),
      (#"{"type":"private","recipient_id":99999999999999999999,"payload":1}"#, .invalidPayload),
      (#"{"type":"private","recipient_id":{"id":1},"payload":1}"#, .invalidPayload),
      (#"{"type":"chat"}"#, .invalidPayload),
      (#"{"type":"ping","id":""}"#, .invalidID), (#"{"type":"ping","id":7}"#, .invalidID),
      (#"{"type":"ping","payload":"0123456789012345678901234567890123456789"}"#, .payloadTooLarge),
    ] as [(String, ClientMistake)])
  func `mistakes`(text: String, mistake: ClientMistake) {
    #expect(refusal(text, payloadLimit: 40)?.mistake == mistake)
  }

  @Test(arguments: [
    #"{"type":"chat","payload":{"room_id":5,"content":"hi"}}"#,
    #"{"type":"chat","room":"a b","payload":{"room_id":"c"}}"#,
    #"{"type":"chat","room":9,"payload":[]}"#,
  ])
  func `chat does not look at rooms`(text: String) {
    guard case .chat = parse(text) else {
      Issue.record("refused")
      return
    }
  }

  @Test func `a refusal carries the id`() throws {
    let message = #"{"id":"a\u0062","type":"send_message","payload":1}"#
    let refused = try #require(refusal(message))
    #expect(refused.mistake == .missingRoom)
    #expect(text(refused.id, of: bytes(message)) == #"a\u0062"#)
  }

  @Test(arguments: [
    (String(repeating: "x", count: 64), true), (String(repeating: "x", count: 65), false),
    (String(repeating: "€", count: 64), true), (String(repeating: "€", count: 65), false),
    (String(repeating: #"\ud83d\ude00"#, count: 64), true), (String(repeating: #"\ud83d\ude00"#, count: 65), false),
    (#"\u0000"#, true), (String(repeating: #"\n"#, count: 65), false),
  ])
  func `ids have 1 to 64 characters`(id: String, isTaken: Bool) {
    let message = #"{"type":"ping","id":"\#(id)"}"#
    #expect((parse(message) != nil) == isTaken)
    if let parsed = parse(message) { #expect(text(parsed.id, of: bytes(message)) == id) }
  }

  @Test(arguments: [
    (#"a"#, #"\u0061"#), (#"é"#, #"\u00e9"#), (#"\/"#, #"/"#), (#"\ud83d\ude00"#, "😀"), ("\\t", #"\u0009"#),
  ])
  func `ids are compared by what they mean`(one: String, other: String) {
    let (left, right) = (bytes(one), bytes(other))
    let leftKey = unsafe ClientMessage.idKey(left.indices, in: left.span.bytes)
    let rightKey = unsafe ClientMessage.idKey(right.indices, in: right.span.bytes)
    #expect(leftKey == rightKey)
  }

  @Test func `an unknown type is cut between characters`() {
    let long = String(repeating: "x", count: 63) + "€uro"
    #expect(refusal(#"{"type":"\#(long)"}"#)?.mistake == .unknownType(String(repeating: "x", count: 63)))
    let exact = String(repeating: "x", count: 61) + "€"
    #expect(refusal(#"{"type":"\#(exact)uro"}"#)?.mistake == .unknownType(exact))
  }

  @Test func `a message may be 32 deep and have 1,024 keys`() {
    func deep(_ count: Int) -> String {
      #"{"type":"chat","payload":"# + String(repeating: "[", count: count) + String(repeating: "]", count: count) + "}"
    }
    func wide(_ count: Int) -> String {
      #"{"type":"chat","payload":{"# + (0..<count).map { "\"\($0)\":0" }.joined(separator: ",") + "}}"
    }
    #expect(parse(deep(31)) != nil && refusal(deep(32))?.mistake == .tooComplex)
    #expect(parse(wide(1_022)) != nil && refusal(wide(1_023))?.mistake == .tooComplex)
    #expect(refusal(#"{"type":"chat","payload":"# + String(repeating: "[", count: 65_536))?.mistake == .tooComplex)
  }

  /// Cuts and damage anywhere: an answer or a refusal, never a crash, and ranges inside the message.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func `any bytes`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let whole = #"{"type":"send_message","room":"lobby","payload":{"content":"h\u0069","room_id":"lobby"},"id":"a\n1"}"#
    var message = bytes(whole)
    for _ in 0..<30 {
      JSONDocument.damage(&message, using: &generator)
      do {
        let parsed = try unsafe ClientMessage.parse(message.span.bytes)
        #expect(parsed.id.map { $0.upperBound <= message.count } ?? true)
        #expect(scan(message) == nil)
      } catch {
        #expect(error.mistake == .invalidFormat || scan(message) == nil)
      }
    }
  }
}
