import EventLoops
import LoadGenerator
import RoostTesting
import Testing
import Tokens

/// A cluster with clients in its rooms: where every test begins.
final class ClusterScenario {
  typealias Said = ClusterRoomCheck.Said

  let cluster: ClusterUnderTest
  let clients: ClusterClients
  private(set) var random: SeededGenerator
  /// Who is in which room.
  private(set) var members: [String: [Int]] = [:]
  private(set) var said: [String: [Said]] = [:]
  private var counter = 0
  private let minter: TokenMinter

  init(nodes: Int = 3, seed: UInt64, flags: [String] = []) async throws {
    print("seed \(seed)")
    cluster = try await ClusterUnderTest(nodes: nodes, flags: flags)
    clients = try ClusterClients(seed: seed)
    random = SeededGenerator(seed: seed)
    minter = try TokenMinter(secret: Array(ClusterUnderTest.secret.utf8))
  }

  func stop() async { await clients.swarm.stop() }

  // MARK: People

  @discardableResult
  func open(_ user: String, on node: Int) async -> Int {
    let now = wallClockMilliseconds() / 1_000
    let token = minter.mint(Claims(userID: user, expiresAt: now + 3_600, issuedAt: now))
    let address = cluster.nodes[node].address
    let endpoint = Endpoint(address: address, host: "\(address)", target: "/ws", token: token)
    return await clients.open(endpoint, user: user, node: node)
  }

  /// Connections spread over the nodes by chance; every fifth belongs to the user of an earlier one.
  func gather(connections: Int) async throws {
    for index in 0..<connections {
      let isSecond = index > 0 && index % 5 == 0
      let user = isSecond ? clients.clients.randomElement(using: &random)?.user ?? "" : "user-\(index)"
      await open(user, on: Int.random(in: 0..<cluster.nodes.count, using: &random))
    }
    try await clients.waitUntilOpen()
  }

  func join(_ client: Int, _ room: String) async {
    guard !members[room, default: []].contains(client) else { return }
    members[room, default: []].append(client)
    await clients.join(client, room)
  }

  /// Everybody joins a few of the rooms; every room gets somebody.
  func fill(rooms: Int) async throws {
    for client in clients.clients.indices {
      await join(client, "room-\(client % rooms)")
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        await join(client, "room-\(Int.random(in: 0..<rooms, using: &random))")
      }
    }
    try await clients.listen(for: "all are in their rooms") { clients in
      self.members.allSatisfy { room, members in
        clients.count(in: room, of: members) { if case .joined = $0 { true } else { false } } == members.count
      }
    }
  }

  /// Until everybody in a room has been told of everybody else there.
  func waitUntilKnown() async throws {
    try await clients.listen(for: "all know of each other") { clients in
      self.members.allSatisfy { room, members in
        let users = Set(members.map { clients.clients[$0].user })
        return members.allSatisfy { clients.clients[$0].present[room] == users }
      }
    }
  }

  // MARK: Talk

  /// Everybody in `speakers` says something in one of their rooms.
  func talk(_ speakers: some Sequence<Int>) async {
    var texts: [(client: Int, text: String)] = []
    let rooms = members.keys.sorted()
    for client in speakers {
      let own = rooms.filter { members[$0, default: []].contains(client) }
      guard let room = own.randomElement(using: &random) else { continue }
      texts.append(clients.saying(client, room, note(client, room)))
    }
    await clients.swarm.send(texts)
  }

  /// Remembers a message that is about to be said.
  func note(_ client: Int, _ room: String) -> String {
    counter += 1
    let content = "m\(client)-\(counter)"
    said[room, default: []].append(Said(client: client, room: room, content: content))
    return content
  }

  /// Until every member has heard, or has an ack of, everything.
  func waitForDelivery(seconds: Double = 120) async throws {
    try await clients.listen(for: "everything is delivered", seconds: seconds) { clients in
      self.members.allSatisfy { room, members in
        let count = self.said[room]?.count ?? 0
        return members.allSatisfy { Self.numbered(clients.heard($0, in: room)) >= count }
      }
    }
  }

  /// All violations of the rooms' promises.
  func violations() -> [String] {
    members.flatMap { room, members in
      let heard = members.map { clients.member($0, of: room) }
      return ClusterRoomCheck(room, members: heard, said: said[room] ?? []).violations
    }
  }

  static func numbered(_ heard: [ClusterClients.Heard]) -> Int {
    heard.reduce(0) { count, item in
      switch item {
      case .message(let offset, _, _, _, _): count + (offset == nil ? 0 : 1)
      case .ack: count + 1
      case .joined, .userJoined, .userLeft, .resync: count
      }
    }
  }

  // MARK: Truth

  /// What every node should say about those who are connected, leaving out some nodes.
  func truth(without dead: Set<Int> = []) -> ClusterUnderTest.Online {
    let there = clients.clients.filter { $0.isOpen && !dead.contains($0.node) }
    return .init(
      online: there.count, users: Set(there.map(\.user)).count, nodes: cluster.nodes.count - dead.count)
  }

  /// Users who leave a room when `node` dies, for each room in which somebody else can hear of it.
  func departures(from node: Int) -> [(room: String, user: String, witnesses: [Int])] {
    members.flatMap { room, members in
      let staying = members.filter { clients.clients[$0].node != node }
      let users = Set(members.map { clients.clients[$0].user })
      let gone = users.subtracting(staying.map { clients.clients[$0].user })
      return staying.isEmpty ? [] : gone.map { (room, $0, staying) }
    }
  }

  /// All `user_left` that anybody on `nodes` (`nil`: on any) has heard, as "room user".
  func heardLeaving(on nodes: Set<Int>? = nil) -> Set<String> {
    var heard: Set<String> = []
    for client in clients.clients where nodes?.contains(client.node) ?? true {
      for (room, items) in client.rooms {
        for case .userLeft(let user) in items { heard.insert("\(room) \(user)") }
      }
    }
    return heard
  }
}
