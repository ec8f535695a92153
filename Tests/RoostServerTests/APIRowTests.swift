import RoostServer
import RoostTesting
import Testing

/// What the calls take and what they turn away, one row each.
@Suite("API: rows", .timeLimit(.minutes(20)))
struct APIRowTests {
  typealias Row = APITests.Row

  private static let publish = "/api/publish"
  private static let send = "/api/users/anna/send"
  private static let notify = "/api/users/anna/notify"
  private static let broadcast = "/api/broadcast"

  private static func post(_ name: String, _ path: String, _ status: Int, _ body: String) -> Row {
    Row(name, status) { try $0.call(path, body) }
  }

  private static func get(_ path: String, _ status: Int) -> Row {
    Row("GET \(path.prefix(80))", status) { try $0.call(path, method: "GET") }
  }

  private static func letters(_ count: Int) -> String { String(repeating: "a", count: count) }

  static let publications: [Row] = [
    post("a message", publish, 200, #"{"room":"r","payload":{"content":"hi"}}"#),
    post("any payload", publish, 200, #"{"room":"r","payload":[1,null,"x"]}"#),
    post("nothing as payload", publish, 200, #"{"room":"r","payload":null}"#),
    post("with all there is", publish, 200, #"{"room":"r","payload":1,"id":"i","sender":{"id":"bot","name":"Bot"}}"#),
    post("a sender without a name", publish, 200, #"{"room":"r","payload":1,"sender":{"id":"bot"}}"#),
    post("absent by null", publish, 200, #"{"room":"r","payload":1,"sender":null,"id":null}"#),
    post("the room in the payload as well", publish, 200, #"{"room":"r","payload":{"room_id":"r"}}"#),
    post("another room in the payload", publish, 400, #"{"room":"r","payload":{"room_id":"s"}}"#),
    post("two rooms in the payload", publish, 400, #"{"room":"r","payload":{"room_id":"r","room_id":"r"}}"#),
    post("no room", publish, 400, #"{"payload":1}"#),
    post("no payload", publish, 400, #"{"room":"r"}"#),
    post("a number for a room", publish, 400, #"{"room":1,"payload":1}"#),
    post("a bad room", publish, 400, #"{"room":"a b","payload":1}"#),
    post("an empty room", publish, 400, #"{"room":"","payload":1}"#),
    post("a long room", publish, 400, #"{"room":"\#(letters(129))","payload":1}"#),
    post("an empty id", publish, 400, #"{"room":"r","payload":1,"id":""}"#),
    post("a number for an id", publish, 400, #"{"room":"r","payload":1,"id":7}"#),
    post("the longest id", publish, 200, #"{"room":"r","payload":1,"id":"\#(letters(64))"}"#),
    post("a long id", publish, 400, #"{"room":"r","payload":1,"id":"\#(letters(65))"}"#),
    post("a sender without an id", publish, 400, #"{"room":"r","payload":1,"sender":{"name":"Bot"}}"#),
    post("a sender in words", publish, 400, #"{"room":"r","payload":1,"sender":"bot"}"#),
    post("a sender with more", publish, 400, #"{"room":"r","payload":1,"sender":{"id":"b","role":"admin"}}"#),
    post("a long sender", publish, 400, #"{"room":"r","payload":1,"sender":{"id":"\#(letters(129))"}}"#),
    post("a long name", publish, 400, #"{"room":"r","payload":1,"sender":{"id":"b","name":"\#(letters(257))"}}"#),
    post("a member too many", publish, 400, #"{"room":"r","payload":1,"offset":1}"#),
    post("a member twice", publish, 400, #"{"room":"r","payload":1,"payload":2}"#),
    post("a member twice, once escaped", publish, 400, #"{"room":"r","payload":1,"\u0070ayload":2}"#),
    post("no UTF-8 behind an escape", publish, 400, #"{"room":"r","payload":"\ud800"}"#),
    post("too deep", publish, 400, #"{"room":"r","payload":\#(String(repeating: "[", count: 40))"#),
    post(
      "too many keys", publish, 400,
      #"{"room":"r","payload":{"a":1\#(String(repeating: #","k":1"#, count: 1_100))}}"#),
    post("the largest payload", publish, 200, #"{"room":"r","payload":"\#(letters(60 * 1_024 - 2))"}"#),
    post("too large a payload", publish, 413, #"{"room":"r","payload":"\#(letters(60 * 1_024 - 1))"}"#),
    Row("GET where POST is", 405) { try $0.call(publish, method: "GET") },
  ]

  static let deliveries: [Row] = [
    post("a chat", broadcast, 200, #"{"payload":{"text":"hi"}}"#),
    post("a chat of somebody", broadcast, 200, #"{"payload":1,"sender":{"id":"7","name":"Bot"}}"#),
    post("a notification for all", broadcast, 200, #"{"title":"t","body":"b"}"#),
    post("neither", broadcast, 400, "{}"),
    post("both", broadcast, 400, #"{"payload":1,"title":"t","body":"b"}"#),
    post("half a notification", broadcast, 400, #"{"title":"t"}"#),
    post("a notification of somebody", broadcast, 400, #"{"title":"t","body":"b","sender":{"id":"7"}}"#),
    post("a private message", send, 200, #"{"payload":{"text":"hi"},"sender":{"id":"bot"}}"#),
    post("a private message without a payload", send, 400, "{}"),
    post("a private message to a room", send, 400, #"{"payload":1,"room":"r"}"#),
    post("to an encoded name", "/api/users/%C3%A4%2Fb%20c/send", 200, #"{"payload":1}"#),
    post("to a bad name", "/api/users/a%00/send", 400, #"{"payload":1}"#),
    post("a notification", notify, 200, #"{"title":"t","body":""}"#),
    post("the longest notification", notify, 200, #"{"title":"\#(letters(1_024))","body":"\#(letters(8_192))"}"#),
    post("a notification full of escapes", notify, 200, longestEscaped),
    post("a long title", notify, 400, #"{"title":"\#(letters(1_025))","body":"b"}"#),
    post("a long body", notify, 400, #"{"title":"t","body":"\#(letters(8_193))"}"#),
    post("an empty title", notify, 400, #"{"title":"","body":"b"}"#),
    post("a number for a title", notify, 400, #"{"title":1,"body":"b"}"#),
    post("a notification with more", notify, 400, #"{"title":"t","body":"b","icon":"i"}"#),
  ]

  /// Each letter becomes six when it is written again.
  private static let longestEscaped =
    #"{"title":"\#(String(repeating: #"\u0001"#, count: 1_024))","#
    + #""body":"\#(String(repeating: #"\u0001"#, count: 8_192))"}"#

  static let questions: [Row] = [
    get("/api/rooms", 200), get("/api/rooms?limit=1&after=a", 200), get("/api/rooms?limit=200", 200),
    get("/api/rooms?limit=0", 400), get("/api/rooms?limit=201", 400), get("/api/rooms?limit=x", 400),
    get("/api/rooms?limit=1&limit=1", 400), get("/api/rooms?limti=1", 400), get("/api/rooms?after=a%20b", 400),
    get("/api/rooms?after=%zz", 400), get("/api/rooms?after=%ff", 400), get("/api/rooms?", 200),
    get("/api/rooms/r", 200), get("/api/rooms/a%20b", 400), get("/api/rooms/", 400), get("/api/rooms/r?x=1", 400),
    get("/api/rooms/\(letters(128))", 200), get("/api/rooms/\(letters(129))", 400),
    get("/api/rooms/r/history", 200), get("/api/rooms/r/history?limit=100&before=5", 200),
    get("/api/rooms/r/history?limit=101", 400), get("/api/rooms/r/history?before=0", 400),
    get("/api/rooms/r/history?before=99999999999999999999", 400), get("/api/rooms/%2f/history", 400),
    get("/api/users/anna", 200), get("/api/users/%C3%A4", 200), get("/api/users/%ff", 400),
    get("/api/users/anna?limit=1", 400), get("/api/users/", 400), get("/api/users", 404),
    get("/api/nodes", 200), get("/api/nodes?x", 400), get("/api/slow", 200), get("/api/debug", 200),
    get("/api/rooms/r/nothing", 404), get("/api/rooms/r/history/more", 404),
    Row("a question by POST", 405) { try $0.call("/api/rooms", method: "POST") },
    Row("a question with a body", 400, closes: true) { try $0.call("/api/rooms", "{}", method: "GET") },
    Row("a question without a key", 401, APITests.unauthorized) {
      try $0.call("/api/nodes", authorization: nil, method: "GET")
    },
    Row("a question of a user", 403) {
      try $0.call("/api/nodes", authorization: "Bearer \(token("u"))", method: "GET")
    },
    Row("a question of an admin", 200) {
      try $0.call("/api/nodes", authorization: "Bearer \(token("root", role: "admin"))", method: "GET")
    },
    Row("the description needs no key", 200) { try $0.call("/api/openapi.json", authorization: nil, method: "GET") },
  ]

  @Test("answers as the table says", arguments: publications + deliveries + questions)
  func table(row: Row) async throws {
    try await withAPI { node in
      var client = try TestClient(port: node.port)
      try row.send(client)
      let answer = try #require(try client.answer())
      #expect(answer.status == row.status, "\(answer.body)")
      #expect(answer.header("content-type") == "application/json")
      if let error = row.error { #expect(answer.body == error) }
      if row.status != 200 { #expect(answer.body.hasPrefix(#"{"error":""#)) }
      if row.closes { return #expect(try client.isAtEnd()) }
      guard answer.header("connection") == nil else { return }
      try client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try client.answer()?.status == 200)
    }
  }

  @Test func `an answer's head may be had alone`() async throws {
    try await withAPI { node in
      var client = try TestClient(port: node.port)
      for path in ["/api/rooms", "/api/nodes", "/api/slow"] {
        try client.call(path, method: "HEAD")
        let answer = try #require(try client.answer(toHead: true))
        #expect(answer.status == 200)
        #expect(answer.header("content-length").flatMap { Int($0) } ?? 0 > 10)
      }
    }
  }
}
