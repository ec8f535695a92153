import EventLoops
import LoadGenerator
import RoostTesting

/// All checking clients of a run: connects them, lets them talk, and writes everything into the ledger.
@MainActor
final class Crowd {
  /// Where a client may connect.
  struct Door: Sendable {
    let address: Address
    let gate: Address
  }

  struct Plan: Sendable {
    var clients = 60
    var rooms = 12
    var roomsOfEach = 2
    /// All clients together.
    var messagesPerSecond = 40.0
  }

  let swarm: Swarm
  var ledger = Ledger()
  var clients: [CheckingClient] = []
  var random: SeededGenerator
  var doors: [Door]
  /// Nodes whose connections may end.
  var excusedNodes: Set<Int> = []
  /// Who measures how long something takes, by number.
  var services: [Int: ServiceWatch] = [:]
  /// Bytes of a message's filler.
  var messageSize = 20
  var messagesPerSecond: Double
  /// Errors by code, and endings, whether expected or not.
  private(set) var errors: [String: Int] = [:]
  /// From a connection's end until its client was back in all its rooms, each in milliseconds.
  private(set) var absences: [Int64] = []
  /// How often anybody was told that somebody comes or goes.
  private(set) var presenceEvents = 0
  private(set) var farewells = Farewells()
  private let mint: (String) -> String
  private var clientOfTag: [Int: Int] = [:]
  private var saidAt: [String: (time: Int64, node: Int)] = [:]
  private var outgoing: [(client: Int, text: String)] = []
  private var nextTalk: Double = 0
  var isTalking = false
  private var isStopped = false

  init(_ plan: Plan, doors: [Door], seed: UInt64, mint: @escaping (String) -> String) throws {
    swarm = try Swarm(seed: seed)
    random = SeededGenerator(seed: seed)
    (self.doors, self.mint, messagesPerSecond) = (doors, mint, plan.messagesPerSecond)
    let now = monotonicMilliseconds()
    for index in 0..<plan.clients {
      var rooms = ["room-\(index % plan.rooms)"]
      while rooms.count < plan.roomsOfEach {
        let room = "room-\(Int.random(in: 0..<plan.rooms, using: &random))"
        if !rooms.contains(room) { rooms.append(room) }
      }
      // One a millisecond, so that connecting is not the first fault.
      add(CheckingClient(user: "u\(index)", rooms: rooms, usesGate: index % 4 == 3, from: now + Int64(index)))
    }
  }

  @discardableResult
  func add(_ client: CheckingClient) -> Int {
    clients.append(client)
    return clients.count - 1
  }

  // MARK: Turning

  func run() async {
    while !isStopped {
      await step()
      if Task.isCancelled { break }
    }
    await swarm.stop()
  }

  func stop() { isStopped = true }

  private func step() async {
    for event in await swarm.events(within: 10) { await take(event) }
    let now = monotonicMilliseconds()
    await tick(now)
    talk(now)
    guard !outgoing.isEmpty else { return }
    let texts = outgoing
    outgoing.removeAll(keepingCapacity: true)
    await swarm.send(texts)
  }

  private func tick(_ now: Int64) async {
    var (due, late): ([Int], [Int]) = ([], [])
    for index in clients.indices {
      switch clients[index].phase {
      case .waiting(let until): if now >= until { due.append(index) }
      case .connecting(let since): if now - since > 5_000 { late.append(index) }
      case .open: if clients[index].hasRefusal || !clients[index].outstanding.isEmpty { sendAgain(index, now) }
      case .gone: break
      }
    }
    if !late.isEmpty { await lose(late) { 100 } }
    if !due.isEmpty { await connect(due, now) }
  }

  private func connect(_ due: [Int], _ now: Int64) async {
    let endpoints = due.map { index in
      clients[index].phase = .connecting(since: now)
      let node = clients[index].home ?? Int.random(in: 0..<doors.count, using: &random)
      clients[index].node = node
      let address = clients[index].usesGate ? doors[node].gate : doors[node].address
      return Endpoint(address: address, host: "\(doors[node].address)", target: "/ws", token: mint(clients[index].user))
    }
    // None of their events is looked at before their names are known.
    for (index, tag) in zip(due, await swarm.open(endpoints)) {
      clients[index].tag = tag
      clientOfTag[tag] = index
    }
  }

  /// Ends the client's connection without a word; it comes back after so many milliseconds.
  func lose(_ index: Int, wait: Int64) async { await lose([index]) { wait } }

  func lose(_ lost: [Int], wait: () -> Int64) async {
    let now = monotonicMilliseconds()
    var tags: [Int] = []
    for index in lost {
      guard let tag = clients[index].tag else { continue }
      tags.append(tag)
      forget(index)
      clients[index].phase = .waiting(until: now + wait())
    }
    await swarm.drop(tags)
  }

  /// The connection is no more: memberships with it, and what has no answer is unsure.
  private func forget(_ index: Int) {
    if let tag = clients[index].tag { clientOfTag[tag] = nil }
    clients[index].tag = nil
    let now = monotonicMilliseconds()
    for (room, membership) in clients[index].memberships where membership == .inside {
      ledger.exited(index, room, as: clients[index].user, now: now)
    }
    clients[index].memberships = [:]
    for content in clients[index].outstanding.keys {
      ledger.isUnsure(content)
      clients[index].outstanding[content]?.retryAt = 0
    }
  }

  // MARK: News

  private func take(_ event: SwarmEvent) async {
    guard let index = clientOfTag[event.client] else { return }
    switch event.kind {
    case .opened:
      clients[index].phase = .open
      (clients[index].failures, clients[index].home, clients[index].toldToWait) = (0, nil, nil)
      for room in clients[index].rooms { join(index, room) }
    case .ended(let ending): ended(index, ending)
    case .message(let bytes):
      guard let message = try? ClusterMessage(bytes) else {
        return ledger.blame(\.wrongAnswers, "client \(index) got \(String(decoding: bytes.prefix(300), as: UTF8.self))")
      }
      if take(message, index, now: event.time) { await lose(index, wait: Int64.random(in: 0...300, using: &random)) }
    }
  }

  func join(_ index: Int, _ room: String) {
    guard let tag = clients[index].tag else { return }
    let since = ledger.position(of: index, in: room)
    clients[index].memberships[room] = .asking(since: since)
    let known = since.map { #","since":{"epoch":"\#($0.epoch)","offset":\#($0.offset)}"# } ?? ""
    outgoing.append((tag, #"{"type":"join_room","id":"join \#(room)","payload":{"room_id":"\#(room)"\#(known)}}"#))
  }

  private func ended(_ index: Int, _ ending: Ending) {
    let wasOpen = clients[index].phase == .open
    forget(index)
    var wait = clients[index].toldToWait ?? Int64.random(in: 0...300, using: &random)
    if wasOpen {
      clients[index].lostAt = monotonicMilliseconds()
      farewells.ended(ending, wasTold: clients[index].toldToWait != nil)
      let isExcused = clients[index].isExcused || excusedNodes.contains(clients[index].node)
      if !isExcused { ledger.blame(\.closed, "client \(index) on node \(clients[index].node) ended: \(ending)") }
    } else {
      clients[index].failures += 1
      wait += Int64.random(in: 0...min(1_000, 50 << Int64(min(clients[index].failures, 5))), using: &random)
    }
    clients[index].phase = .waiting(until: monotonicMilliseconds() + wait)
    if case .closed(let code) = ending, !Self.comesBack(after: code) { clients[index].phase = .gone }
    errors["\(ending)", default: 0] += 1
  }

  private static func comesBack(after code: UInt16) -> Bool {
    [1_001, 1_006, 1_012].contains(code) || (4_000...4_499).contains(code)
  }

  /// True when the client wants its connection cut now.
  private func take(_ message: ClusterMessage, _ index: Int, now: Int64) -> Bool {
    let (room, payload) = (message.roomName, message.payload)
    switch message.type {
    case "room_info": joined(index, message, now)
    case "new_message":
      guard let offset = message.offset, let content = payload?.content.map({ Said(padded: $0) }) else { return false }
      let position = ledger.position(of: index, in: room)
      ledger.heard(index, room, offset: offset, id: message.id ?? "", content: content.content)
      if let said = saidAt[content.content], said.node != clients[index].node {
        for key in services.keys { services[key]?.heard(from: clients[index].node, saidAt: said.time, now: now) }
      }
      if clients[index].cut == .inReplay, position != nil {
        clients[index].cut = nil
        return true
      }
    case "ack":
      guard let id = message.id, clients[index].outstanding.removeValue(forKey: id) != nil else { return false }
      ledger.acked(
        index, room, at: Position(payload?.epoch ?? "", message.offset ?? -1), id: payload?.message_id ?? "",
        content: id,
        isDuplicate: payload?.dup ?? false)
      if let said = saidAt[id] {
        for key in services.keys { services[key]?.acked(by: clients[index].node, saidAt: said.time, now: now) }
      }
      if clients[index].cut == .afterAck {
        clients[index].cut = nil
        return true
      }
    case "resync":
      let place = Position(payload?.epoch ?? "", payload?.offset ?? -1)
      ledger.resync(index, room, to: place, reason: payload?.reason ?? "")
    case "user_joined", "user_left":
      let isJoin = message.type == "user_joined"
      presenceEvents += 1
      ledger.heardPresence(index, room, of: message.sender?.id ?? "", isJoin: isJoin, now: now)
    case "server_draining":
      let wait = Int64(message.payload?.reconnect_after_ms ?? 0)
      clients[index].toldToWait = wait
      farewells.told(toWait: wait)
    case "error": failed(index, message, now)
    default: break
    }
    return false
  }

  private func joined(_ index: Int, _ message: ClusterMessage, _ now: Int64) {
    let room = message.roomName
    guard case .asking(let since) = clients[index].memberships[room] else { return }
    let place = Position(message.payload?.epoch ?? "", message.payload?.offset ?? -1)
    ledger.joined(
      index, room, at: place, since: since, recovered: message.payload?.recovered, reason: message.payload?.reason)
    ledger.entered(index, room, as: clients[index].user, now: now)
    clients[index].memberships[room] = .inside
    if let lostAt = clients[index].lostAt, clients[index].isInside {
      absences.append(now - lostAt)
      clients[index].lostAt = nil
    }
  }

  private func failed(_ index: Int, _ message: ClusterMessage, _ now: Int64) {
    let (id, code) = (message.id ?? "", message.payload?.code ?? "")
    errors[code, default: 0] += 1
    let wait = Int64(message.payload?.retry_after_ms ?? 500) + Int64.random(in: 0...200, using: &random)
    if id.hasPrefix("join ") {
      clients[index].memberships[String(id.dropFirst(5))] = .refused(retryAt: now + wait)
      clients[index].hasRefusal = true
    } else if clients[index].outstanding[id] != nil {
      ledger.isUnsure(id)
      clients[index].outstanding[id]?.retryAt = now + wait
    }
    guard code == "RELAY_UNAVAILABLE" || code == "NOT_IN_ROOM" else {
      return ledger.blame(\.wrongAnswers, "client \(index) got error \(code) for \(id)")
    }
  }

  // MARK: Talk

  private func sendAgain(_ index: Int, _ now: Int64) {
    if clients[index].hasRefusal {
      var waits = false
      for (room, membership) in clients[index].memberships {
        guard case .refused(let at) = membership else { continue }
        if now >= at { join(index, room) } else { waits = true }
      }
      clients[index].hasRefusal = waits
    }
    for (content, message) in clients[index].outstanding {
      guard let at = message.retryAt, now >= at, clients[index].memberships[message.room] == .inside else { continue }
      clients[index].outstanding[content]?.retryAt = nil
      say(content, size: message.size, in: message.room, from: index)
    }
  }

  private func say(_ content: String, size: Int, in room: String, from index: Int) {
    guard let tag = clients[index].tag else { return }
    let filler = String(repeating: "x", count: size)
    let text =
      #"{"type":"send_message","room":"\#(room)","id":"\#(content)","payload":{"content":"\#(content) \#(filler)"}}"#
    outgoing.append((tag, text))
    ledger.note("says \(content)", index, room)
  }

  /// Says something new.
  @discardableResult
  func saySomething(_ index: Int, in room: String) -> String {
    let content = clients[index].nextMessage().content
    clients[index].outstanding[content] = .init(room: room, retryAt: nil, size: messageSize)
    saidAt[content] = (monotonicMilliseconds(), clients[index].node)
    say(content, size: messageSize, in: room, from: index)
    return content
  }

  private func talk(_ now: Int64) {
    guard isTalking else { return nextTalk = 0 }
    if nextTalk == 0 { nextTalk = Double(now) }
    // After a stop of ours nobody makes up for what was not said.
    nextTalk = max(nextTalk, Double(now) - 200)
    while nextTalk <= Double(now) {
      nextTalk += 1_000 / messagesPerSecond
      for _ in 0..<20 {
        let index = Int.random(in: 0..<clients.count, using: &random)
        guard clients[index].phase == .open, !clients[index].isSilent, clients[index].toldToWait == nil,
          clients[index].outstanding.count < 4,
          let room = clients[index].rooms.randomElement(using: &random), clients[index].memberships[room] == .inside
        else { continue }
        saySomething(index, in: room)
        break
      }
    }
  }
}

extension Said {
  /// What was said may be followed by filler.
  init(padded text: String) { self.init(String(text.prefix { $0 != " " })) }
}
