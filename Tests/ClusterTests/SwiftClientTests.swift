import EventLoops
import Foundation
import Glibc
import RoostClient
import RoostTesting
import Synchronization
import Testing
import Tokens

/// `RoostClient` at real nodes, with a proxy between that cuts its connections.
@Suite("Swift client", .serialized, .timeLimit(.minutes(20)))
struct SwiftClientTests {
  static func token(_ user: String, seconds: Int64 = 3_600) throws -> String {
    let end = wallClockMilliseconds() / 1_000 + seconds
    return try TokenMinter(secret: Array(ClusterUnderTest.secret.utf8)).mint(Claims(userID: user, expiresAt: end))
  }

  private func client(_ user: String, port: UInt16) throws -> RoostClient {
    var configuration = ClientConfiguration(url: "ws://127.0.0.1:\(port)/ws", token: try Self.token(user))
    (configuration.backoff, configuration.longestBackoff) = (.milliseconds(10), .milliseconds(200))
    return try RoostClient(configuration)
  }

  /// Takes messages until one says `last`; `onMessage` is told how many there were.
  static func contents(
    _ client: RoostClient, until last: String, _ onMessage: @Sendable (Int) -> Void = { _ in }
  ) async -> (contents: [String], offsets: [Int], missed: Int) {
    var (contents, offsets, missed): ([String], [Int], Int) = ([], [], 0)
    for await event in client.events {
      if case .missed = event { missed += 1 }
      guard case .message(let message) = event else { continue }
      contents.append(message.content ?? "?")
      offsets.append(message.offset ?? 0)
      onMessage(contents.count)
      if message.content == last { break }
    }
    return (contents, offsets, missed)
  }

  /// Says so many, one after the other; `onReceipt` is told how many there were.
  static func talk(
    _ client: RoostClient, _ name: String, _ count: Int, _ onReceipt: @Sendable (Int) -> Void
  ) async throws(ClientError) -> [Int] {
    var offsets: [Int] = []
    for number in 1...count {
      offsets.append(try await client.sendMessage("\(name) \(number)", to: "r").offset)
      onReceipt(number)
    }
    return offsets
  }

  @Test func `connections are cut all the time, and nothing is lost or doubled`() async throws {
    let cluster = try await ClusterUnderTest(nodes: 2)
    let gates = try cluster.nodes.map { try FaultProxy(target: $0.port, seed: 11) }
    let (anna, ben) = (try client("anna", port: gates[0].port), try client("ben", port: gates[1].port))
    // Sees everything, from a connection that stays.
    let witness = try client("carl", port: cluster.nodes[1].port)
    for each in [anna, ben, witness] {
      try await each.connect()
      try await each.joinRoom("r")
    }
    let count = 300
    async let heardByAnna = Self.contents(anna, until: "ben end") { if $0 % 23 == 0 { gates[0].order(.cut(.all)) } }
    async let heardByBen = Self.contents(ben, until: "anna end") { if $0 % 29 == 0 { gates[1].order(.cut(.all)) } }
    async let seen = Self.contents(witness, until: "end")
    async let annasOffsets = Self.talk(anna, "anna", count) { if $0 % 31 == 0 { gates[0].order(.cut(.all)) } }
    async let bensOffsets = Self.talk(ben, "ben", count) { if $0 % 37 == 0 { gates[1].order(.cut(.all)) } }
    let offsets = try await (anna: annasOffsets, ben: bensOffsets)
    // What is doubled would come before these.
    try await anna.sendMessage("anna end", to: "r")
    try await ben.sendMessage("ben end", to: "r")
    let (a, b) = (await heardByAnna, await heardByBen)
    try await anna.sendMessage("end", to: "r")
    let all = await seen

    #expect(a.contents == (1...count).map { "ben \($0)" } + ["ben end"])
    #expect(b.contents == (1...count).map { "anna \($0)" } + ["anna end"])
    #expect(a.missed == 0 && b.missed == 0 && all.missed == 0)
    #expect(all.contents.count == 2 * count + 3 && Set(all.contents).count == all.contents.count)
    #expect(all.offsets == Array(1...2 * count + 3))
    #expect(Set(offsets.anna + offsets.ben).count == 2 * count)
    #expect(Array(a.offsets.dropLast()) == offsets.ben && Array(b.offsets.dropLast()) == offsets.anna)
    let connections = gates.map(\.connections)
    print("connections \(connections)")
    // A client that was away for long hears several rounds at once, and is cut once for all of them.
    #expect(connections.allSatisfy { $0 > 3 })
    for each in [anna, ben, witness] { await each.disconnect() }
  }

  @Test func `a client moves with its rooms when its node stops`() async throws {
    let cluster = try await ClusterUnderTest(nodes: 2)
    let gate = try FaultProxy(target: cluster.nodes[0].port, seed: 12)
    let (anna, ben) = (try client("anna", port: gate.port), try client("ben", port: cluster.nodes[1].port))
    for each in [anna, ben] {
      try await each.connect()
      try await each.joinRoom("r")
    }
    let (leaving, other) = (cluster.nodes[0], cluster.nodes[1].port)
    async let heard = Self.contents(anna, until: "end")
    async let said = Self.talk(ben, "ben", 200) {
      guard $0 == 50 else { return }
      gate.order(.target(other))
      leaving.signal(SIGTERM)
    }
    #expect(try await said.count == 200)
    #expect(await leaving.ended() == 0)
    // Sent over the new connection.
    try await anna.sendMessage("anna is here", to: "r")
    try await ben.sendMessage("end", to: "r")
    let (contents, _, missed) = await heard
    #expect(contents == (1...200).map { "ben \($0)" } + ["end"])
    #expect(missed == 0)
    for each in [anna, ben] { await each.disconnect() }
  }

  @Test func `tokens are fetched when they end`() async throws {
    let cluster = try await ClusterUnderTest(nodes: 1)
    // The first token is good for less than the half minute before whose end the server warns. A test that waited for
    // its turn for as long is made again.
    for _ in 0..<5 {
      let end = monotonicMilliseconds() + 25_000
      do {
        let reasons = try await Self.reasons(for: 25, cluster)
        if reasons == [.first, .expiring] { return }
        #expect(monotonicMilliseconds() >= end, "\(reasons)")
      } catch { guard monotonicMilliseconds() >= end else { throw error } }
    }
    Issue.record("there was never time enough")
  }

  /// Why tokens were asked for until a client with a short and a long one was served.
  private static func reasons(for seconds: Int64, _ cluster: ClusterUnderTest) async throws -> [TokenReason] {
    let reasons = Mutex<[TokenReason]>([])
    // The first ends soon after its warning; the second is the one that is good.
    let configuration = ClientConfiguration(url: "ws://127.0.0.1:\(cluster.nodes[0].port)/ws") { reason in
      let count = reasons.withLock {
        $0.append(reason)
        return $0.count
      }
      return try Self.token("anna", seconds: count == 1 ? seconds : 3_600)
    }
    let anna = try RoostClient(configuration)
    try await anna.connect()
    try await anna.joinRoom("r")
    // The warning comes at once, because less than half a minute is left; the answer to the refresh is not told, but a
    // connection that outlives the first token is.
    try await ClusterUnderTest.eventually("a second token was asked for", seconds: 60) {
      reasons.withLock { $0.count } >= 2
    }
    let asked = reasons.withLock { $0 }
    try await anna.sendMessage("still here", to: "r")
    #expect(try await anna.onlineUsers("r").users == [RoomUser(id: "anna", name: "anna")])
    await anna.disconnect()
    return asked
  }

  @Test func `the example in the documents is what runs here, and it works`() async throws {
    let cluster = try await ClusterUnderTest(nodes: 1)
    let url = "ws://127.0.0.1:\(cluster.nodes[0].port)/ws"
    let token = try Self.token("robot")
    async let greeted = answerGreetings(at: url, token: { _ in token })
    let ben = try client("ben", port: cluster.nodes[0].port)
    try await ben.connect()
    // The robot may be there before or after him.
    if try await ben.joinRoom("general").count == 1 {
      for await case .userJoined(_, let user) in ben.events where user.id == "robot" { break }
    }
    try await ben.sendMessage("hello", to: "general")
    for await case .message(let message) in ben.events where message.content == "hello, ben" { break }
    try await ben.sendMessage("bye", to: "general")
    #expect(try await greeted == 1)
    await ben.disconnect()

    let here = URL(filePath: #filePath).deletingLastPathComponent()
    let example = try String(contentsOf: here.appending(path: "GreetingExample.swift"), encoding: .utf8)
    let page = try String(contentsOf: here.appending(path: "../../docs/CLIENTS.md").standardized, encoding: .utf8)
    #expect(page.contains("```swift\n\(example)```"), "docs/CLIENTS.md does not show GreetingExample.swift as it is")
  }

  @Test func `what is wrong is told at once`() async throws {
    let cluster = try await ClusterUnderTest(nodes: 1)
    let port = cluster.nodes[0].port
    let stranger = try RoostClient(ClientConfiguration(url: "ws://127.0.0.1:\(port)/ws", token: "no.good.token"))
    await #expect(throws: ClientError.refused(status: 401)) { try await stranger.connect() }
    let lost = try RoostClient(ClientConfiguration(url: "ws://localhost:\(port)/nowhere", token: try Self.token("a")))
    await #expect(throws: ClientError.refused(status: 404)) { try await lost.connect() }
    var configuration = ClientConfiguration(url: "ws://127.0.0.1:1/ws")
    configuration.firstAttempts = 1
    let alone = try RoostClient(configuration)
    await #expect(throws: ClientError.self) { try await alone.connect() }
    for url in ["", "127.0.0.1:8080", "ftp://x/", "ws://user@host/", "ws://:1/"] {
      #expect(throws: ClientError.self) { try RoostClient(ClientConfiguration(url: url)) }
    }
    let anna = try client("anna", port: port)
    try await anna.connect()
    let error = ClientError.server(
      code: "NOT_IN_ROOM", message: "you must join the room first", retryAfter: nil)
    await #expect(throws: error) { try await anna.sendMessage("x", to: "r") }
    await anna.disconnect()
    await #expect(throws: ClientError.disconnected) { try await anna.joinRoom("r") }
  }
}
