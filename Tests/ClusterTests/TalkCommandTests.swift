import EventLoops
import Foundation
import Glibc
import RoostTesting
import Testing

/// `roost chat`, `roost publish` and `roost status` at a node of their own.
@Suite("commands that talk", .serialized, .timeLimit(.minutes(20)))
struct TalkCommandTests {
  private static let key = "0123456789abcdef0123456789abcdef-api"

  /// A node without Redis, and commands that know its secrets.
  private final class Place {
    let port: UInt16
    private let node: TestProcess

    init() throws {
      port = try FreePorts.take()
      node = try TestProcess(
        [ClusterNode.binary(), "serve", "--port", "\(port)", "--node-id", "alone"],
        environment: ["ROOST_SECRET": CommandTests.secret, "ROOST_API_KEY": TalkCommandTests.key])
      try #require(node.says("node ready"))
    }

    /// A command that has a token of `user`, or a key of the API.
    func start(
      _ arguments: [String], user: String? = nil, key: String? = TalkCommandTests.key, hearsErrors: Bool = true
    ) throws -> TestProcess {
      var environment = ["ROOST_API_KEY": key ?? ""]
      if let user { environment = ["ROOST_TOKEN": try Self.token(user)] }
      let scheme = arguments[0] == "chat" ? "ws" : "http"
      return try TestProcess(
        [ClusterNode.binary(), arguments[0], "--url", "\(scheme)://127.0.0.1:\(port)"] + arguments.dropFirst(),
        environment: environment, hasInput: true, hearsErrors: hearsErrors)
    }

    func run(
      _ arguments: [String], user: String? = nil, key: String? = TalkCommandTests.key, input: String = "",
      hearsErrors: Bool = true
    ) throws -> (code: CInt, text: String) {
      let process = try start(arguments, user: user, key: key, hearsErrors: hearsErrors)
      process.write(input)
      process.endInput()
      return (process.ended(), process.text)
    }

    private static func token(_ user: String) throws -> String {
      let process = try TestProcess(
        [ClusterNode.binary(), "token", "--user", user], environment: ["ROOST_SECRET": CommandTests.secret])
      process.ended()
      return process.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  // MARK: Chat

  @Test func `lines go in at one end and come out at the other`() throws {
    let place = try Place()
    let listener = try place.start(["chat", "--room", "r", "--listen"], user: "ben")
    #expect(listener.says("you are in r"))
    let said = try place.run(
      ["chat", "--room", "r", "--quiet"], user: "anna",
      input: "hello\n\n//slash\n/to ben only you\nwith \u{1B}[31m colour\nlast, without an end")
    #expect(said.code == 0 && said.text.isEmpty, "\(said.text)")
    #expect(listener.says("last, without an end"))
    for line in ["[r] anna: hello\n", "[r] anna: /slash\n", "(private) anna: only you\n"] {
      #expect(listener.says(line), "\(line)")
    }
    #expect(listener.says("anna: with  [31m colour"), "what strangers say moves no cursor")
    #expect(listener.says("anna left r"))
    listener.signal(SIGTERM)
    #expect(listener.ended() == 128 + SIGTERM)
  }

  @Test func `commands are answered, and what cannot be said is the exit code`() throws {
    let place = try Place()
    let good = try place.run(
      ["chat", "--room", "r,s", "--quiet"], user: "anna",
      input: "one\n/who\n/room r\ntwo\n/history 5\n/leave\n/rooms\n/quit\nnot said")
    #expect(good.code == 0)
    #expect(good.text == "s: 1: anna\n[r] anna: two\ns\n", "\(good.text)")
    let bad = try place.run(["chat", "--room", "r", "--quiet"], user: "anna", input: "/fly\n/leave\nto nobody\n")
    #expect(bad.code == 1)
    #expect(bad.text.contains("there is no /fly") && bad.text.contains("you are in no room"))
  }

  @Test func `as JSON everything is an object on a line`() throws {
    let place = try Place()
    let listener = try place.start(["chat", "--room", "r", "--listen", "--json"], user: "ben", hearsErrors: false)
    #expect(listener.says("joined"))
    let said = try place.run(
      ["chat", "--room", "r", "--json", "--raw"], user: "anna", input: "/a \"quoted\" line\n", hearsErrors: false)
    #expect(said.code == 0)
    #expect(listener.says("new_message") && listener.says("user_left"))
    // So that the last line is whole.
    listener.signal(SIGTERM)
    listener.ended()
    for line in (listener.text + said.text).split(separator: "\n") {
      let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let type = try #require(json?["type"] as? String)
      if type == "new_message" {
        #expect((json?["payload"] as? [String: String]) == ["content": "/a \"quoted\" line"])
        #expect((json?["sender"] as? [String: String])?["id"] == "anna")
        #expect(json?["offset"] as? Int == 1)
      }
    }
    #expect(said.text.contains(#""type":"ack","room":"r","offset":1"#))
  }

  @Test func `a chat that cannot begin says why in one line`() throws {
    let place = try Place()
    let nobody = try TestProcess(
      [ClusterNode.binary(), "chat", "--url", "ws://127.0.0.1:1"], environment: ["ROOST_TOKEN": "a.b.c"],
      hasInput: true)
    #expect(nobody.ended() == 1)
    #expect(nobody.text == "roost chat: the server cannot be reached: connect: Connection refused\n")
    let stranger = try TestProcess(
      [ClusterNode.binary(), "chat", "--url", "ws://127.0.0.1:\(place.port)"], environment: ["ROOST_TOKEN": "a.b.c"],
      hasInput: true)
    #expect(stranger.ended() == 1)
    #expect(stranger.text == "roost chat: the server does not take the token (401)\n")
    let lost = try TestProcess(
      [ClusterNode.binary(), "chat", "--url", "ws://127.0.0.1:\(place.port)/x"], environment: ["ROOST_TOKEN": "a.b.c"],
      hasInput: true)
    #expect(lost.ended() == 1)
    #expect(lost.text.contains("(404)"))
    #expect(try place.run(["chat"], key: nil).code == 2)
    #expect(try place.run(["chat", "--token", "secret"], user: "anna").code == 2)
    #expect(try place.run(["chat", "--room", "a b"], user: "anna").code == 1)
  }

  // MARK: Publish

  @Test func `publish reaches the room once for each id`() throws {
    let place = try Place()
    let listener = try place.start(["chat", "--room", "r", "--listen"], user: "ben")
    #expect(listener.says("you are in r"))
    let first = try place.run(["publish", "--room", "r", "--id", "x", "--sender", "shop", "hello", "there"])
    #expect(first.code == 0 && first.text.hasPrefix("1 "), "\(first.text)")
    let second = try place.run(["publish", "--room", "r", "--id", "x", "something else"])
    #expect(second.code == 0 && second.text == "1 dup\n", "\(second.text)")
    let lines = try place.run(["publish", "--room", "r", "--json", "--data"], input: "{\"content\":\"a\"}\n\n[2]\n")
    #expect(lines.code == 0 && lines.text.split(separator: "\n").count == 2)
    #expect(lines.text.contains(#""offset":3"#))
    #expect(listener.says("[r] -: [2]"))
    #expect(listener.says("[r] shop: hello there\n") && !listener.text.contains("something else"))
  }

  @Test func `publish says what is wrong`() throws {
    let place = try Place()
    #expect(try place.run(["publish", "x"]).code == 2)
    #expect(try place.run(["publish", "--room", "r", "--data", "{"]).code == 2)
    #expect(try place.run(["publish", "--room", "r", "x"], key: nil).code == 2)
    let stranger = try place.run(["publish", "--room", "r", "x"], key: "0123456789abcdef0123456789abcdef-bad")
    #expect(stranger.code == 1)
    let place401 = "roost publish: http://127.0.0.1:\(place.port): the key is not one of this cluster's (401)\n"
    #expect(stranger.text == place401)
    let invalid = try place.run(["publish", "--room", "a b", "x"])
    #expect(invalid.code == 1 && invalid.text.contains("(400)"), "\(invalid.text)")
    let user = try place.run(["publish", "--room", "r", "x"], user: "anna")
    #expect(user.code == 1 && user.text.contains("(403)"), "\(user.text)")
  }

  // MARK: Status

  @Test func `status shows the cluster, as text and as JSON`() throws {
    let place = try Place()
    let member = try place.start(["chat", "--room", "lobby", "--listen"], user: "ben")
    #expect(member.says("you are in lobby"))
    let text = try place.run(["status"])
    #expect(text.code == 0)
    for word in ["1 node, 1 connection, 1 user, 1 room", "alone", "ready", "lobby", "MEMORY"] {
      #expect(text.text.contains(word), "\(word) is not in\n\(text.text)")
    }
    let answer = try place.run(["status", "--json"])
    #expect(answer.code == 0)
    let json = try #require(try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any])
    #expect((json["online"] as? [String: Int]) == ["online": 1, "users": 1, "nodes": 1])
    #expect((json["nodes"] as? [[String: Any]])?.first?["state"] as? String == "ready")
    let figures = try #require((json["at"] as? [[String: Any]])?.first)
    #expect(figures["url"] as? String == "http://127.0.0.1:\(place.port)" && figures["connections"] as? Double == 1)
    #expect(figures["received_per_second"] as? Double == 0)
    #expect((json["rooms"] as? [[String: Any]])?.first?["room"] as? String == "lobby")
  }

  @Test func `status says what is wrong`() throws {
    let place = try Place()
    let stranger = try place.run(["status"], key: "0123456789abcdef0123456789abcdef-bad")
    #expect(stranger.code == 1 && stranger.text.contains("the key is not one of this cluster's (401)"))
    #expect(try place.run(["status"], key: nil).code == 2)
    #expect(try place.run(["status", "--interval", "0"]).code == 2)
    let nobody = try TestProcess(
      [ClusterNode.binary(), "status", "--url", "http://127.0.0.1:1"], environment: ["ROOST_API_KEY": Self.key])
    #expect(nobody.ended() == 1)
    #expect(nobody.text == "roost status: http://127.0.0.1:1: cannot be reached: connect: Connection refused\n")
    let odd = try TestProcess(
      [ClusterNode.binary(), "status", "--url", "127.0.0.1"], environment: ["ROOST_API_KEY": Self.key])
    #expect(odd.ended() == 1 && odd.text.contains("is not such as"))
  }
}
