import Buffers
import Foundation
import RealtimeCore
import Testing

/// Several hubs on one ``SharedRelay``, under one clock. Answers and frames reach a node in the order of their making,
/// but each kind by itself: which comes first is up to the test.
final class HubCluster {
  struct Member: Hashable {
    let node: Int
    let slot: UInt32
  }

  /// What a member was told about who is there: kept as a client would keep it.
  struct View {
    var users: Set<String> = []
    var count = 0
    var events: [String] = []
    var syncs: [Int] = []
    /// What contradicts itself: somebody came who was there, or left who was not.
    var contradictions: [String] = []
  }

  private final class Node {
    var hub: Hub
    var answers: [RelayEvent] = []
    var frames: [[UInt8]] = []
    var rosterTickets: Set<RelayTicket> = []
    var isSubscribed = true
    var isAway = false
    var members: [RoomNumber: [ConnectionID]] = [:]
    var users: [ConnectionID: (name: String, number: UserNumber?)] = [:]

    init(_ number: Int, now: Now) {
      var configuration = HubConfiguration(instance: "n\(number)-abcdef")
      configuration.rate = nil
      configuration.connectionsPerUser = 10_000
      hub = Hub(configuration, seed: UInt64(number), now: now)
    }
  }

  let relay = SharedRelay()
  private(set) var now = Now(monotonic: 1_000_000, wall: 1_760_000_000_000)
  private var nodes: [Node] = []
  private(set) var views: [Member: View] = [:]
  private(set) var texts: [Member: [String]] = [:]
  private(set) var eventsGiven = 0
  /// The most rosters that were ever on their way from one node.
  private(set) var mostRostersAsked = 0
  let room = RoomName("r")!

  var nodeCount: Int { nodes.count }

  init(nodes count: Int) {
    for number in 0..<count {
      let node = Node(number, now: now)
      nodes.append(node)
      node.answers = [.generation(id: "g", token: relay.token), .state(.connected), .resubscribed]
    }
    settle()
  }

  // MARK: Clients

  @discardableResult
  func join(_ slot: UInt32, _ user: String, on node: Int, rooms: [RoomName] = []) -> Member {
    let connection = Self.connection(slot)
    nodes[node].users[connection] = (user, nil)
    nodes[node].hub.handle(.connect(connection, Identity(user: user)!, TokenStamp()), now: now)
    for room in rooms.isEmpty ? [room] : rooms {
      nodes[node].hub.handle(.join(connection, room, JoinWish(), id: []), now: now)
    }
    turn(node)
    return Member(node: node, slot: slot)
  }

  func leave(_ member: Member) {
    nodes[member.node].hub.handle(.leave(Self.connection(member.slot), room, id: []), now: now)
    turn(member.node)
  }

  func lose(_ member: Member, _ departure: Departure = .lost) {
    let connection = Self.connection(member.slot)
    for room in nodes[member.node].members.keys { nodes[member.node].members[room]!.removeAll { $0 == connection } }
    nodes[member.node].users[connection] = nil
    views[member] = nil
    nodes[member.node].hub.handle(.disconnect(connection, departure), now: now)
    turn(member.node)
  }

  func type(_ member: Member) {
    nodes[member.node].hub.handle(.typing(Self.connection(member.slot), room, isTyping: true), now: now)
    turn(member.node)
  }

  func depart(_ node: Int) {
    nodes[node].hub.handle(.depart(graceMilliseconds: 1_000), now: now)
    turn(node)
  }

  // MARK: Faults

  /// Nothing of the relay channel reaches the node any more.
  func cut(_ node: Int) {
    nodes[node].isSubscribed = false
    nodes[node].frames = []
  }

  func resubscribe(_ node: Int) {
    nodes[node].isSubscribed = true
    nodes[node].answers.append(.resubscribed)
  }

  /// The relay comes back empty, and every node finds out in its own time (``meetGeneration(_:)``).
  func loseRelay() {
    relay.lose()
    for node in nodes {
      node.isAway = true
      node.frames = []
      node.answers = node.answers.map { event in
        if case .reply(let ticket, _) = event { .reply(ticket, .failed(.outcomeUnknown)) } else { event }
      }
    }
  }

  func meetGeneration(_ node: Int) {
    nodes[node].isAway = false
    nodes[node].frames = []
    nodes[node].answers += [.generation(id: "g", token: relay.token), .resubscribed]
  }

  /// One frame is lost without anybody noticing.
  func loseFrame(_ node: Int) {
    spread()
    nodes[node].frames.removeFirst()
  }

  /// The node's lease ends and its users are counted out, as when it is paused.
  func reap(_ node: Int) { relay.reap(ofInstance: "n\(node)-abcdef") }

  // MARK: Time

  /// A few events for one node: answers or frames, as many as there are up to `limit`.
  func deliver(_ node: Int, frames: Bool, limit: Int = .max) {
    let node = nodes[node]
    spread()
    if frames {
      let some = node.frames.prefix(limit)
      node.frames.removeFirst(some.count)
      for frame in some { node.hub.handle(.frame(frame), now: now) }
    } else {
      let some = node.answers.prefix(limit)
      node.answers.removeFirst(some.count)
      for event in some {
        if case .reply(let ticket, _) = event { node.rosterTickets.remove(ticket) }
        node.hub.handle(event, now: now)
      }
    }
    turn(nodes.firstIndex { $0 === node }!)
  }

  /// Delivers until nothing is on its way.
  func settle() {
    spread()
    while nodes.contains(where: { !$0.answers.isEmpty || !$0.frames.isEmpty }) {
      for index in nodes.indices {
        deliver(index, frames: false)
        deliver(index, frames: true)
      }
      spread()
    }
  }

  func advance(_ milliseconds: Int64, step: Int64 = 100) {
    for _ in 0..<(milliseconds / step) {
      pass(step)
      settle()
    }
  }

  /// Lets time pass without delivering anything.
  func pass(_ milliseconds: Int64) {
    now = Now(monotonic: now.monotonic + milliseconds, wall: now.wall + milliseconds)
    for index in nodes.indices {
      nodes[index].hub.tick(now: now)
      turn(index)
    }
  }

  func forgetQuestions() {
    relay.forgetQuestions()
    mostRostersAsked = 0
  }

  // MARK: The shells' part

  private static func connection(_ slot: UInt32) -> ConnectionID {
    ConnectionID(shard: 0, generation: 1, slot: slot)
  }

  private func spread() {
    let frames = relay.takeFrames()
    for node in nodes where node.isSubscribed && !node.isAway { node.frames += frames }
  }

  private func turn(_ index: Int) {
    let node = nodes[index]
    node.hub.endTurn(now: now)
    let (actions, text) = (node.hub.output.actions, node.hub.output.text.array())
    node.hub.output.removeAll()
    for action in actions {
      switch action {
      case .relay(let request, let ticket):
        if case .roster = request { node.rosterTickets.insert(ticket) }
        let reply = node.isAway ? RelayReply.failed(.unavailable) : relay.answer(request, now: now)
        node.answers.append(.reply(ticket, reply))
      default: perform(action, index, text)
      }
    }
    mostRostersAsked = max(mostRostersAsked, node.rosterTickets.count)
  }

  private func perform(_ action: HubAction, _ index: Int, _ text: [UInt8]) {
    let node = nodes[index]
    switch action {
    case .admit(let connection, let number): node.users[connection]?.number = number
    case .text(let connection, let range): give(index, connection, text[range])
    case .enter(let connection, let room, _, let range):
      node.members[room, default: []].append(connection)
      give(index, connection, text[range])
    case .exit(let connection, let room, _, let range):
      node.members[room]?.removeAll { $0 == connection }
      give(index, connection, text[range])
      views[Member(node: index, slot: connection.slot)] = nil
    case .item(let room, let item):
      for connection in node.members[room] ?? [] {
        if let own = item.ownUser, node.users[connection]?.number == own { continue }
        give(index, connection, text[item.text])
      }
    case .forget(let room): node.members[room] = nil
    default: break
    }
  }

  private func give(_ node: Int, _ connection: ConnectionID, _ text: ArraySlice<UInt8>) {
    let member = Member(node: node, slot: connection.slot)
    let json = try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any]
    guard let type = json?["type"] as? String, let payload = json?["payload"] as? [String: Any] else { return }
    texts[member, default: []].append(type)
    guard json?["room"] as? String == room.text else { return }
    var view = views[member] ?? View()
    let user = payload["id"] as? String ?? ""
    switch type {
    case "room_info":
      view.users = Set((payload["users"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String })
      view.count = payload["count"] as? Int ?? -1
    case "user_joined":
      eventsGiven += 1
      view.events.append("+\(user)")
      if !view.users.insert(user).inserted { view.contradictions.append("+\(user)") }
    case "user_left":
      eventsGiven += 1
      view.events.append("-\(user)")
      if view.users.remove(user) == nil { view.contradictions.append("-\(user)") }
    case "presence_sync": view.syncs.append(payload["count"] as? Int ?? -1)
    default: break
    }
    views[member] = view
  }
}
