import RoostServer
import RoostTesting
import Testing

/// What little can be made to cost much: crowds that come, and questions about the past.
@Suite("Amplification", .timeLimit(.minutes(20)))
struct AmplificationTests {
  /// A client in a list, which cannot hold what may not be copied.
  private final class Member {
    private var client: TestClient

    init(_ client: consuming TestClient) { self.client = client }

    /// The next frame of the given type.
    func next(_ type: String) throws -> String? {
      try client.skip { $0.text.hasPrefix(#"{"type":"\#(type)""#) }?.text
    }

    func join(_ room: String) throws { try client.sendFrame(#"{"type":"join_room","room":"\#(room)"}"#) }
  }

  private func count(_ word: String, in text: String) -> Int { text.ranges(of: word).count }

  @Test func `above 200 members comings are told as a number, and lists are cut`() async throws {
    let configuration = configured { $0.limits.connectionsPerAddress = 10_000 }
    try await withNode(configuration) { node in
      var members: [Member] = []
      var info = ""
      for number in 0..<220 {
        let member = Member(try TestClient.chat(node, "user-\(number)"))
        try member.join("square")
        info = try #require(try member.next("room_info"))
        members.append(member)
      }
      #expect(info.contains(#""count":220"#) && count(#""name":"#, in: info) == 100, "\(info.prefix(300))")
      // Whoever was there first heard of the first two hundred one by one, and of the others by a number.
      #expect(try members[0].next("presence_sync")?.contains(#""room_id":"square","count":2"#) == true)
    }
  }

  /// A room with so many messages, and one who may ask about them.
  private func withPast(
    of messages: Int, _ change: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (Node, _ epoch: String) throws -> Void
  ) async throws {
    try await withNode(configured(change)) { node in
      var anna = try TestClient.chat(node, "anna", rooms: ["lobby"])
      var epoch = ""
      for number in 1...messages {
        try anna.say("m\(number)", in: "lobby", id: "\(number)")
        let ack = try anna.talk()
        let start = try #require(ack.firstRange(of: #""epoch":""#)).upperBound
        epoch = String(ack[start...].prefix { $0 != "\"" })
      }
      try body(node, epoch)
      let isThere = anna.isOpen
      #expect(isThere)
    }
  }

  @Test func `a question about the past has a hundred messages at most`() async throws {
    try await withPast(of: 120) { node, _ in
      var ben = try TestClient.chat(node, "ben", rooms: ["lobby"])
      try ben.sendFrame(#"{"type":"history","room":"lobby","payload":{"room_id":"lobby","limit":100000}}"#)
      #expect(count(#""type":"new_message""#, in: try ben.talk()) == 100)
      var cleo = try TestClient.chat(node, "cleo")
      try cleo.sendFrame(#"{"type":"join_room","payload":{"room_id":"lobby","history":100000}}"#)
      #expect(try cleo.talk().contains(#""offset":20"#))
      for number in 21...120 { #expect(try cleo.talk().contains(#""m\#(number)""#)) }
      try cleo.sendFrame(#"{"type":"ping"}"#)
      #expect(try cleo.talk().contains("pong"))
    }
  }

  @Test(arguments: [(3, 1 << 20), (300, 400)])
  func `who missed more than is given gets none of it, and a reason`(messages: Int, bytes: Int) async throws {
    let change = { (settings: inout ServerConfiguration) in
      (settings.limits.recoveryMessages, settings.limits.recoveryBytes) = (messages, bytes)
    }
    try await withPast(of: 20, change) { node, epoch in
      var ben = try TestClient.chat(node, "ben")
      let join = { (offset: Int) in
        #"{"type":"join_room","payload":{"room_id":"lobby","since":{"epoch":"\#(epoch)","offset":\#(offset)}}}"#
      }
      try ben.sendFrame(join(1))
      let info = try ben.talk()
      #expect(info.contains(#""recovered":false"#) && info.contains(#""reason":"too_far""#), "\(info)")
      try ben.sendFrame(join(18))
      #expect(try ben.talk().contains(#""recovered":true"#))
      for number in 19...20 { #expect(try ben.talk().contains(#""m\#(number)""#)) }
    }
  }
}
