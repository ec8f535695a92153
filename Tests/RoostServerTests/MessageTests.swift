import RoostServer
import RoostTesting
import Testing
import Tokens

/// Messages that are refused, and the error that says so while the connection stays. One row for each rule, by raw
/// sockets; more texts for each are in `RealtimeCoreTests/Codec`.
@Suite("Messages", .timeLimit(.minutes(20)))
struct MessageTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var code: String
    var text: String

    init(_ name: String, _ code: String, _ text: String) {
      (testDescription, self.code, self.text) = (name, code, text)
    }
  }

  static let formats: [Row] = [
    Row("no JSON", "INVALID_FORMAT", "hello?"), Row("nothing", "INVALID_FORMAT", ""),
    Row("an array", "INVALID_FORMAT", "[]"), Row("a string", "INVALID_FORMAT", #""ping""#),
    Row("no type", "INVALID_FORMAT", "{}"), Row("a type that is no string", "INVALID_FORMAT", #"{"type":5}"#),
    Row("a key twice", "INVALID_FORMAT", #"{"type":"ping","type":"ping"}"#),
    Row("a key twice, once with an escape", "INVALID_FORMAT", #"{"type":"ping","t\u0079pe":"ping"}"#),
    Row("a key twice that is not ours", "INVALID_FORMAT", #"{"type":"ping","a":1,"b":2,"a":3}"#),
    Row("bytes behind the end", "INVALID_FORMAT", #"{"type":"ping"}x"#),
    Row("two messages", "INVALID_FORMAT", #"{"type":"ping"}{"type":"ping"}"#),
    Row("two messages on two lines", "INVALID_FORMAT", "{\"type\":\"ping\"}\n{\"type\":\"ping\"}"),
    Row("NaN", "INVALID_FORMAT", #"{"type":"ping","x":NaN}"#),
    Row("Infinity", "INVALID_FORMAT", #"{"type":"ping","x":-Infinity}"#),
    Row("half a surrogate pair", "INVALID_FORMAT", #"{"type":"ping","x":"\ud800"}"#),
    Row("the other half", "INVALID_FORMAT", #"{"type":"ping","x":"\udc00"}"#),
    Row("a control character", "INVALID_FORMAT", "{\"type\":\"ping\",\"x\":\"\u{1}\"}"),
    Row("a byte order mark", "INVALID_FORMAT", "\u{FEFF}{\"type\":\"ping\"}"),
    Row("33 levels", "TOO_COMPLEX", #"{"type":"ping","x":\#(nested(32))}"#),
    Row("64 KiB of brackets", "TOO_COMPLEX", #"{"x":"# + String(repeating: "[", count: 65_531)),
    Row("1,025 keys", "TOO_COMPLEX", #"{"type":"ping","x":{\#(keys(1_023))}}"#),
  ]

  static let fields: [Row] = [
    Row("an unknown type", "UNKNOWN_TYPE", #"{"type":"dance"}"#),
    Row("a message without a room", "MISSING_ROOM", #"{"type":"send_message","payload":1}"#),
    Row("an empty room", "MISSING_ROOM", #"{"type":"send_message","room":"","payload":1}"#),
    Row("a message without a payload", "INVALID_PAYLOAD", #"{"type":"send_message","room":"one"}"#),
    Row("a join without a room", "INVALID_PAYLOAD", #"{"type":"join_room","payload":{}}"#),
    Row("a join with a text", "INVALID_PAYLOAD", #"{"type":"join_room","room":"one","payload":"x"}"#),
    Row("a bad position", "INVALID_PAYLOAD", #"{"type":"join_room","room":"one","payload":{"since":{"offset":-1}}}"#),
    Row("a bad limit", "INVALID_PAYLOAD", #"{"type":"history","room":"one","payload":{"limit":"x"}}"#),
    Row("private to nobody", "INVALID_PAYLOAD", #"{"type":"private","payload":1}"#),
    Row("an id of 65 characters", "INVALID_ID", #"{"type":"ping","id":"\#(String(repeating: "x", count: 65))"}"#),
    Row("an empty id", "INVALID_ID", #"{"type":"ping","id":""}"#),
    Row("an id that is a number", "INVALID_ID", #"{"type":"ping","id":7}"#),
    Row("a payload over its limit", "PAYLOAD_TOO_LARGE", #"{"type":"ping","payload":"\#(nested(50))"}"#),
    Row("a room too many", "ROOM_LIMIT", #"{"type":"join_room","room":"two"}"#),
  ]

  static let rooms: [Row] =
    [
      "a|b", #"a\u001fb"#, "{a}", "a b", #"a\nb"#, #"a\u0000"#, "a\u{200F}b", "a\u{202E}b", "größe", "a/b", "*",
      String(repeating: "r", count: 129),
    ].map { Row("the room \($0)", "INVALID_ROOM", #"{"type":"join_room","room":"\#($0)"}"#) }
    + [
      Row("a room that is a number", "INVALID_ROOM", #"{"type":"join_room","room":7}"#),
      Row("two rooms", "INVALID_ROOM", #"{"type":"join_room","room":"one","payload":{"room_id":"two"}}"#),
    ]

  static let outsiders: [Row] = [
    #""send_message","room":"two","payload":1"#, #""typing","room":"two""#, #""stop_typing","room":"two""#,
    #""leave_room","room":"two""#, #""history","room":"two""#,
  ].map { Row("from outside: \($0)", "NOT_IN_ROOM", #"{"type":\#($0)}"#) }

  static let rights: [Row] = [
    Row("chat", "FORBIDDEN", #"{"type":"chat","payload":1}"#),
    Row("a room that is there", "FORBIDDEN", #"{"type":"join_room","room":"secret"}"#),
    Row("a room that nobody knows", "FORBIDDEN", #"{"type":"join_room","room":"unknown"}"#),
    Row("who is in a room that is there", "FORBIDDEN", #"{"type":"online_users","room":"secret"}"#),
    Row("who is in a room that nobody knows", "FORBIDDEN", #"{"type":"online_users","room":"unknown"}"#),
  ]

  private static func nested(_ depth: Int) -> String {
    String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
  }

  private static func keys(_ count: Int) -> String {
    (0..<count).map { "\"\($0)\":0" }.joined(separator: ",")
  }

  @Test(
    "are refused with their code, and the connection stays", arguments: formats + fields + rooms + outsiders + rights)
  func table(row: Row) async throws {
    let configuration = configured {
      $0.limits.messageBytes = 131_072
      $0.limits.roomsPerConnection = 1
      $0.limits.payloadBytes = 64
    }
    try await withNode(configuration) { node in
      let owner = try TestClient.chat(node, "ben", rooms: ["secret"])
      var client = try TestClient(port: node.port)
      try client.upgrade("/ws?token=\(token("anna", rooms: RoomGrants(join: ["one", "two"])))")
      try client.join("one")
      try client.sendFrame(row.text)
      let answer = try client.talk()
      #expect(answer.contains(#""type":"error""#) && answer.contains(#""code":"\#(row.code)""#), "\(answer)")
      try client.sendFrame(#"{"type":"ping","id":"still here"}"#)
      #expect(try client.talk().contains("still here"))
      #expect(try metric("roost_errors_total{code=\"\(row.code)\"}", of: node) == 1)
      let isThere = owner.isOpen
      #expect(isThere)
    }
  }

  /// Whatever a client says about who it is and where its message stands.
  @Test func `sender, time, place and origin are ours`() async throws {
    try await withNode { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      try anna.sendFrame(
        #"{"type":"send_message","room":"lobby","id":"m","payload":{"content":"hi"},"#
          + #""sender":{"id":"eve","name":"Eve"},"timestamp":"1999-01-01T00:00:00.000Z","offset":99,"epoch":"mine","#
          + #""origin":"0000000000000001","#
          + #""node":"other","token":"local","version":7,"recipient_id":"eve"}"#)
      #expect(try anna.talk().contains(#""offset":1"#))
      let heard = try ben.talk()
      #expect(heard.contains(#""sender":{"id":"anna","name":"anna"}"#) && heard.contains(#""offset":1}"#), "\(heard)")
      for lie in ["eve", "1999", ":99", "mine", #""origin":"#, #""node":"#, #""token":"#, #""version":"#] {
        #expect(!heard.contains(lie))
      }
    }
  }

  @Test func `an id that was used before is answered with the first message's place, whatever it says now`()
    async throws
  {
    try await withNode { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      for words in ["one", "two"] { try anna.say(words, in: "lobby", id: "same") }
      #expect(try !anna.talk().contains("dup"))
      let again = try anna.talk()
      #expect(again.contains(#""dup":true"#) && again.contains(#""offset":1"#))
      try anna.say("three", in: "lobby", id: "next")
      #expect(try ben.talk().contains("one"))
      #expect(try ben.talk().contains("three"))
    }
  }
}
