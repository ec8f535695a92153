import Buffers
import Foundation
import RealtimeCore
import RoostTesting
import Testing

@Suite struct ServerMessageTests {
  let lobby = RoomName("lobby")!
  let noon = Timestamp(milliseconds: 43_200_000)
  let ann = Identity(user: "7", name: "Ann \"A\"\n")!
  let id = bytes(#"x\u0031"#)

  @Test(
    arguments: [
      (.invalidFormat, #""INVALID_FORMAT","message":"invalid message format""#),
      (.unknownType("a\"b\u{1F}"), #""UNKNOWN_TYPE","message":"unknown message type: a\"b\u001f""#),
      (.missingRoom, #""MISSING_ROOM","message":"room is required for sending messages""#),
      (.notInRoom, #""NOT_IN_ROOM","message":"you must join the room first""#),
      (.invalidPayload, #""INVALID_PAYLOAD","message":"invalid room payload""#),
      (.invalidRoom, #""INVALID_ROOM","message":"a room is 1 to 128 of A-Z a-z 0-9 . _ : -""#),
      (.invalidID, #""INVALID_ID","message":"an id is a string of 1 to 64 characters""#),
      (.tooComplex, #""TOO_COMPLEX","message":"message is too deep or has too many keys""#),
      (.payloadTooLarge, #""PAYLOAD_TOO_LARGE","message":"payload is too large""#),
      (.roomLimit, #""ROOM_LIMIT","message":"too many rooms""#),
      (.forbidden, #""FORBIDDEN","message":"not allowed""#),
      (
        .rateLimited(retryAfterMilliseconds: 250),
        #""RATE_LIMITED","message":"too many messages","retry_after_ms":250"#
      ),
      (.relayUnavailable(), #""RELAY_UNAVAILABLE","message":"outcome unknown, send again with the same id""#),
      (
        .relayUnavailable(retryAfterMilliseconds: 1),
        #""RELAY_UNAVAILABLE","message":"outcome unknown, send again with the same id","retry_after_ms":1"#
      ),
    ] as [(ClientMistake, String)])
  func `errors`(mistake: ClientMistake, payload: String) {
    let bare = written { ServerMessage.appendError(mistake, to: &$0) }
    #expect(bare == #"{"type":"error","payload":{"code":\#(payload)}}"#)
    let answer = written { unsafe ServerMessage.appendError(mistake, id: id.span.bytes, to: &$0) }
    #expect(answer == #"{"type":"error","payload":{"code":\#(payload)},"id":"x\u0031"}"#)
    #expect(scan(bytes(answer)) == nil)
  }

  @Test func `acks`() {
    let message = bytes("n1-9")
    #expect(
      written {
        unsafe ServerMessage.appendAck(
          room: lobby, offset: 5, epoch: "e", messageID: message.span.bytes, id: id.span.bytes, to: &$0)
      }
        == #"{"type":"ack","room":"lobby","payload":{"epoch":"e","message_id":"n1-9"},"id":"x\u0031","offset":5}"#)
    #expect(
      written {
        ServerMessage.appendAck(
          room: lobby, offset: 5, epoch: "e", messageID: RawSpan(), isDuplicate: true, id: RawSpan(), to: &$0)
      }
        == #"{"type":"ack","room":"lobby","payload":{"epoch":"e","dup":true},"offset":5}"#)
    #expect(
      written { unsafe ServerMessage.appendAck(recipients: 3, isPartial: true, id: id.span.bytes, to: &$0) }
        == #"{"type":"ack","payload":{"recipients":3,"partial":true},"id":"x\u0031"}"#)
    #expect(
      written { ServerMessage.appendAck(recipients: 0, isPartial: false, to: &$0) }
        == #"{"type":"ack","payload":{"recipients":0}}"#)
    #expect(
      written { unsafe ServerMessage.appendAck(room: lobby, id: id.span.bytes, to: &$0) }
        == #"{"type":"ack","room":"lobby","id":"x\u0031"}"#)
    #expect(
      written { ServerMessage.appendAck(room: nil, to: &$0) } == #"{"type":"ack"}"#)
  }

  @Test func `room answers`() {
    let standing = ServerMessage.Standing(epoch: "e1", offset: 0, recovered: false, reason: "too_far")
    #expect(
      written {
        unsafe ServerMessage.appendRoomInfo(
          room: lobby, users: [ann], count: 2, standing: standing, timestamp: noon, id: id.span.bytes, to: &$0)
      }
        == #"{"type":"room_info","room":"lobby","payload":{"room_id":"lobby","#
        + #""users":[{"id":"7","name":"Ann \"A\"\n"}],"#
        + #""count":2,"epoch":"e1","offset":0,"recovered":false,"reason":"too_far"},"#
        + #""timestamp":"1970-01-01T12:00:00.000Z","id":"x\u0031"}"#)
    #expect(
      written {
        ServerMessage.appendOnlineUsers(
          room: lobby, users: [], count: 0, timestamp: noon, to: &$0)
      } == #"{"type":"online_users","room":"lobby","payload":{"room_id":"lobby","users":[],"count":0},"#
        + #""timestamp":"1970-01-01T12:00:00.000Z"}"#)
    #expect(
      written { ServerMessage.appendPresenceSync(room: lobby, count: 201, timestamp: noon, to: &$0) }
        == #"{"type":"presence_sync","room":"lobby","payload":{"room_id":"lobby","count":201},"#
        + #""timestamp":"1970-01-01T12:00:00.000Z"}"#)
    #expect(
      written {
        ServerMessage.appendResync(
          room: lobby, epoch: "e2", offset: 4, reason: "epoch_changed", timestamp: noon, to: &$0)
      } == #"{"type":"resync","room":"lobby","payload":{"room_id":"lobby","epoch":"e2","offset":4,"#
        + #""reason":"epoch_changed"},"timestamp":"1970-01-01T12:00:00.000Z"}"#)
  }

  @Test func `the answer to a new token`() throws {
    let rooms = try [#require(RoomName("a")), #require(RoomName("b:c"))]
    #expect(
      written { unsafe ServerMessage.appendAck(expiry: noon, left: rooms, id: id.span.bytes, to: &$0) }
        == #"{"type":"ack","payload":{"expires_at":"1970-01-01T12:00:00.000Z","left":["a","b:c"]},"id":"x\u0031"}"#)
    #expect(
      written { ServerMessage.appendAck(expiry: nil, left: [], to: &$0) } == #"{"type":"ack","payload":{"left":[]}}"#)
  }

  @Test func `what the node says`() {
    #expect(
      written { unsafe ServerMessage.appendPong(timestamp: noon, id: id.span.bytes, to: &$0) }
        == #"{"type":"pong","timestamp":"1970-01-01T12:00:00.000Z","id":"x\u0031"}"#)
    #expect(
      written { ServerMessage.appendRelayStatus(isDegraded: true, to: &$0) }
        == #"{"type":"relay_status","payload":{"degraded":true}}"#)
    #expect(
      written { ServerMessage.appendRelayStatus(isDegraded: false, to: &$0) }
        == #"{"type":"relay_status","payload":{"degraded":false}}"#)
    #expect(
      written { ServerMessage.appendServerDraining(reconnectAfterMilliseconds: 1_500, to: &$0) }
        == #"{"type":"server_draining","payload":{"reconnect_after_ms":1500}}"#)
    #expect(
      written { ServerMessage.appendTokenExpiring(at: noon, to: &$0) }
        == #"{"type":"token_expiring","payload":{"expires_at":"1970-01-01T12:00:00.000Z"}}"#)
  }

  /// Any name at all: what we write is JSON that Foundation reads back as the same name.
  @Test(arguments: 0..<50 as Range<UInt64>)
  func `names are escaped`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      var name = ""
      for _ in 0..<Int.random(in: 1...30, using: &generator) {
        let high: UInt32 = Bool.random(using: &generator) ? 0x7F : 0x1_FFFF
        if let scalar = Unicode.Scalar(UInt32.random(in: 0...high, using: &generator)) {
          name.unicodeScalars.append(scalar)
        }
      }
      let user = try #require(Identity(user: "u", name: name))
      let message = written {
        ServerMessage.appendOnlineUsers(
          room: lobby, users: [user], count: 1, timestamp: noon, to: &$0)
      }
      #expect(scan(bytes(message)) == nil)
      let object = try JSONSerialization.jsonObject(with: Data(message.utf8)) as? [String: Any]
      let users = (object?["payload"] as? [String: Any])?["users"] as? [[String: String]]
      #expect(users?.first?["name"].map { Array($0.utf8) } == Array(user.name.utf8))
    }
  }
}
