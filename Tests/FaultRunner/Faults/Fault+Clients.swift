import EventLoops
import LoadGenerator
import RoostTesting

// What clients do, or what happens to them.
extension Fault {
  static let clients: [Fault] = [
    Fault(
      name: "slow-reader",
      summary: "some clients read nothing while their room gets 500 KB: 4008, and back by position",
      family: .clients, seconds: 8, isOnlyByName: true, nodeFlags: ["--queue-messages", "32"], strike: readSlowly),
    Fault(
      name: "vanish", summary: "clients vanish without a FIN and come back by new connections", family: .clients,
      seconds: 4, nodeFlags: ["--pong-wait", "15", "--ping-period", "5"]
    ) { scene in
      for gate in scene.site.gates { gate.order(.strand(.all)) }
      await scene.pause(0.5)
      for index in scene.crowd.clients.indices where scene.crowd.clients[index].usesGate {
        await scene.crowd.lose(index, wait: Int64.random(in: 0...2_000, using: &scene.random))
      }
      _ = await scene.crowd.wait(seconds: 10) { scene.crowd.outsiders == 0 }
    },
    Fault(
      name: "storm", summary: "5,000 clients with three rooms each come back within three seconds", family: .clients,
      seconds: 20, isOnlyByName: true, nodeFlags: ["--shards", "2"], plan: stormPlan, strike: storm),
    Fault(
      name: "flapping", summary: "a third of the clients disconnect ten times, for moments", family: .clients,
      seconds: 5
    ) { scene in
      let chosen = scene.choose(part: 0.33)
      for _ in 0..<10 {
        for index in chosen where scene.crowd.clients[index].phase == .open {
          await scene.crowd.lose(index, wait: Int64.random(in: 0...100, using: &scene.random))
        }
        await scene.pause(0.4)
      }
    },
    Fault(
      name: "positions", summary: "clients come with forged, future and old positions", family: .clients, seconds: 2,
      isOnlyByName: true, strike: askForPositions),
    Fault(name: "cut-after-ack", summary: "connections are cut right after an ack", family: .clients) { scene in
      for index in scene.choose(part: 0.5) { scene.crowd.clients[index].cut = .afterAck }
      await scene.pause(3)
    },
    Fault(
      name: "cut-in-replay", summary: "clients who are away for 1.5 s are cut again in the middle of their replay",
      family: .clients, seconds: 5
    ) { scene in
      for index in scene.choose(part: 0.5) {
        scene.crowd.clients[index].cut = .inReplay
        await scene.crowd.lose(index, wait: 1_500)
      }
      await scene.pause(4)
    },
  ]

  private static var stormPlan: Crowd.Plan {
    var plan = Crowd.Plan()
    (plan.clients, plan.rooms, plan.roomsOfEach) = (5_000, 1_500, 3)
    return plan
  }

  @MainActor
  private static func storm(_ scene: Scene) async throws {
    let crowd = scene.crowd
    await crowd.lose(Array(crowd.clients.indices)) { 500 + Int64.random(in: 0...3_000, using: &scene.random) }
    let (start, cpu, nodesCPU) = (monotonicMilliseconds(), scene.site.redisCPU, scene.site.nodesCPU)
    let isOpen = await crowd.wait(seconds: 60) { crowd.clients.allSatisfy { $0.phase == .open } }
    scene.note(isOpen ? "all connected after \(monotonicMilliseconds() - start) ms" : "not all connect")
    let isBack = await crowd.wait(seconds: 60) { crowd.outsiders == 0 }
    let took = monotonicMilliseconds() - start
    let used = scene.site.redisCPU - cpu
    let tenths = (used * 10).rounded() / 10
    let nodesUsed = ((scene.site.nodesCPU - nodesCPU) * 10).rounded() / 10
    let refusals = crowd.errors.filter { $0.key.hasPrefix("refused") || $0.key == "RELAY_UNAVAILABLE" }
    for (what, count) in refusals.sorted(by: { $0.key < $1.key }) { scene.note("\(what) \(count) times") }
    let figures = "all back after \(took) ms, CPU: Redis \(tenths) s, nodes \(nodesUsed) s"
    scene.note(isBack ? figures : "\(crowd.outsiders) are not back")
  }

  /// One of the room's members says it all; those behind the gates do not read.
  @MainActor
  private static func readSlowly(_ scene: Scene) async throws {
    let crowd = scene.crowd
    let slow = crowd.clients.indices.filter { crowd.clients[$0].usesGate }
    for index in slow {
      crowd.clients[index].isExcused = true
      crowd.ledger.isUnaccountable(crowd.clients[index].user)
    }
    for gate in scene.site.gates { gate.order(.treat(.all, .init(holdsToClient: true))) }
    let room = crowd.clients[slow.first ?? 0].rooms[0]
    guard let speaker = crowd.clients.firstIndex(where: { !$0.usesGate && $0.isInside && $0.rooms.contains(room) })
    else {
      return
    }
    crowd.messageSize = 3_000
    for number in 0..<170 {
      crowd.saySomething(speaker, in: room)
      if number % 10 == 9 { await scene.pause(0.05) }
    }
    crowd.messageSize = 20
    await scene.pause(2)
    for gate in scene.site.gates { gate.order(.treat(.all, .init())) }
    await scene.pause(1)
    for index in slow { crowd.clients[index].isExcused = false }
    scene.note("closed for slowness: \(crowd.errors["\(Self.tooSlow)", default: 0])")
    if crowd.errors["\(Self.tooSlow)", default: 0] == 0 {
      crowd.ledger.blame(\.wrongAnswers, "nobody was closed with 4008")
    }
  }

  private static var tooSlow: Ending { .closed(code: 4_008) }

  @MainActor
  private static func askForPositions(_ scene: Scene) async throws {
    let crowd = scene.crowd
    let room = crowd.clients[0].rooms[0]
    guard let speaker = crowd.clients.firstIndex(where: { $0.isInside && $0.rooms.contains(room) }) else { return }
    // More than a recovery holds.
    for number in 0..<320 {
      crowd.saySomething(speaker, in: room)
      if number % 10 == 9 { await scene.pause(0.05) }
    }
    _ = await crowd.wait(seconds: 5) { crowd.unanswered == 0 }
    guard let top = crowd.ledger.position(of: speaker, in: room) else { return }
    let positions = [
      ("a forged epoch", "forged", 3), ("an epoch of nonsense", "\\u0000\\ud83d\\ude00", 3),
      ("a future offset", top.epoch, top.offset + 1_000), ("an old offset", top.epoch, 1),
    ]
    for (what, epoch, offset) in positions {
      let client = try TestClientBox(port: scene.site.ports[scene.anyNode()])
      guard client.ask("/ws?token=\(scene.site.mint("positions"))") == 101 else { continue }
      let since = #"{"epoch":"\#(epoch)","offset":\#(offset)}"#
      try client.say(#"{"type":"join_room","id":"x","payload":{"room_id":"\#(room)","since":\#(since)}}"#)
      let answer = try client.message("room_info")
      let isRight = answer?.payload?.recovered == false && answer?.payload?.reason?.isEmpty == false
      let words = "\(answer?.payload?.recovered.map { "\($0)" } ?? "-") \(answer?.payload?.reason ?? "-")"
      scene.note("\(what): \(words)")
      if !isRight { crowd.ledger.blame(\.wrongAnswers, "\(what) is answered by \(words)") }
    }
  }
}

extension Scene {
  /// Some of the clients who are connected.
  func choose(part: Double) -> [Int] {
    crowd.clients.indices.filter {
      crowd.clients[$0].phase == .open && Double.random(in: 0..<1, using: &random) < part
    }
  }
}
