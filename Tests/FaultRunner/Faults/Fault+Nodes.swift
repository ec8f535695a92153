import EventLoops
import Glibc
import RoostTesting

// What happens to the nodes.
extension Fault {
  static let nodes: [Fault] = [
    Fault(
      name: "kill-node", summary: "kill -9 of a node, which is started again a second later", family: .nodes, seconds: 4
    ) {
      scene in
      let node = scene.anyNode()
      try await scene.takeDown(node, by: SIGKILL)
      await scene.pause(1)
      try await scene.bringBack(node)
      await scene.timeToService("full service after")
    },
    Fault(
      name: "lose-node", summary: "kill -9 of a node, which is gone until others have counted it out", family: .nodes,
      seconds: 16, isOnlyByName: true
    ) { scene in
      let node = scene.anyNode()
      try await scene.takeDown(node, by: SIGKILL)
      await scene.pause(14)
      try await scene.bringBack(node)
      await scene.timeToService("full service after")
    },
    paused(3), paused(60),
    Fault(name: "drain", summary: "SIGTERM: the node sends its clients away and ends", family: .nodes, seconds: 5) {
      scene in try await scene.replace(scene.anyNode())
    },
    Fault(
      name: "rolling-restart", summary: "all nodes are drained and started again, one after the other", family: .nodes,
      seconds: 14
    ) { scene in
      for node in 0..<Site.count { try await scene.replace(node) }
      await scene.timeToService("full service after")
    },
    Fault(
      name: "same-id", summary: "a second process runs under a node's name for 4 s", family: .nodes, mayAnnounce: false,
      seconds: 7, strike: runTwin),
    Fault(
      name: "start-without-redis", summary: "a node is started while it cannot reach Redis, for 3 s", family: .nodes,
      seconds: 7
    ) { scene in
      let node = scene.anyNode()
      try await scene.takeDown(node, by: SIGKILL)
      scene.site.wires[node].order(.refuse(true))
      try await scene.bringBack(node)
      await scene.pause(3)
      scene.site.wires[node].order(.refuse(false))
      await scene.timeToService("full service after")
    },
    Fault(
      name: "descriptors", summary: "a node runs out of descriptors while 150 more want in", family: .nodes, seconds: 5,
      strike: exhaust),
    stepped("clock-redis", "Redis' clock", 0), stepped("clock-nodes", "all nodes' clocks", 1),
  ]

  private static func stepped(_ name: String, _ whose: String, _ clock: Int) -> Fault {
    Fault(
      name: name, summary: "a step of \(whose) by 30 s forward, then back, then 30 s back", family: .nodes,
      needsShiftedClocks: true, seconds: 9, isOnlyByName: true
    ) { scene in
      for milliseconds: Int64 in [30_000, 0, -30_000] {
        try scene.site.clocks[clock].set(milliseconds: milliseconds)
        if clock == 0 {
          let said = Int64(try scene.site.redis.ask("TIME").prefix { $0 != "\n" }) ?? 0
          let step = said - wallClockMilliseconds() / 1_000
          guard abs(step - milliseconds / 1_000) <= 1 else {
            throw Site.Failure(description: "the clock is off by \(step) s")
          }
        }
        await scene.timeToService("full service after")
        await scene.pause(3)
      }
    }
  }

  private static func paused(_ seconds: Double) -> Fault {
    Fault(
      name: "pause-node-\(Int(seconds))", summary: "a node is stopped for \(Int(seconds)) s", family: .nodes,
      seconds: seconds + 2, isOnlyByName: seconds > 10
    ) { scene in
      let node = scene.anyNode()
      // Its lease may end, and then its users count as gone; and whoever finds it silent goes elsewhere.
      if seconds > 4 {
        scene.site.mayBeFenced.insert(node)
        for index in scene.crowd.clients.indices where scene.crowd.clients[index].node == node {
          scene.crowd.ledger.isUnaccountable(scene.crowd.clients[index].user)
          // It wakes with a minute of messages at once, which may be more than a queue holds: 4008, and back.
          scene.crowd.clients[index].isExcused = true
        }
      }
      scene.site.nodes[node].pause()
      await scene.pause(seconds)
      scene.site.nodes[node].signal(SIGCONT)
      await scene.timeToService("full service after")
    }
  }

  @MainActor
  private static func runTwin(_ scene: Scene) async throws {
    let site = scene.site
    let node = scene.anyNode()
    site.mayBeFenced.insert(node)
    guard let any = Address(host: "127.0.0.1", port: 0) else { return }
    let port = try Listener(any, backlog: 1, sharesPort: false).port
    let wire = try FaultProxy(target: site.redis.port, seed: 1)
    let twin = try site.node(named: site.nodes[node].name, port: port, wire: wire)
    await scene.pause(4)
    twin.signal(SIGKILL)
    _ = await twin.ended()
    await scene.timeToService("full service after")
  }

  @MainActor
  private static func exhaust(_ scene: Scene) async throws {
    let node = scene.anyNode()
    try await scene.takeDown(node, by: SIGKILL)
    try scene.site.restart(node, wrapper: ["sh", "-c", #"ulimit -n 100; exec "$@""#, "sh"])
    try await scene.site.waitUntilReady(node)
    scene.blameAgain(node)
    await scene.populate(node)
    _ = await scene.crowd.wait(seconds: 5) { scene.crowd.outsiders == 0 }
    var statuses: [String: Int] = [:]
    var others: [TestClientBox] = []
    for number in 0..<150 {
      guard let client = try? TestClientBox(port: scene.site.ports[node]) else {
        statuses["no connection", default: 0] += 1
        continue
      }
      let status = client.ask("/ws?token=\(scene.site.mint("flood-\(number)"))")
      statuses[status.map { "\($0)" } ?? "no answer", default: 0] += 1
      if status == 101 { others.append(client) }
      if number % 10 == 0 { await scene.pause(0.01) }
    }
    scene.note(
      "answers \(statuses.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))")
    if statuses["503", default: 0] == 0 {
      scene.crowd.ledger.blame(\.wrongAnswers, "nobody was told that the node is full")
    }
    await scene.timeToService("full service while it is full", patience: 5)
    others.removeAll()
    try await scene.takeDown(node, by: SIGKILL)
    try await scene.bringBack(node)
  }
}

extension Scene {
  /// Ends a node; its clients have to go elsewhere.
  func takeDown(_ node: Int, by signal: CInt) async throws {
    excuse(node)
    site.nodes[node].signal(SIGCONT)
    site.nodes[node].signal(signal)
    let code = await site.nodes[node].ended()
    if signal == SIGTERM && code != 0 {
      crowd.ledger.blame(\.wrongAnswers, "node \(node) exits with \(code) when it is drained")
    }
    // Whoever was connected hears of it in the next turns, and before the node may be blamed again.
    _ = await crowd.wait(seconds: 20) { !crowd.clients.contains { $0.node == node && $0.phase == .open } }
  }

  /// Starts the node again, and a third of the clients go there, as a balancer would have it.
  func bringBack(_ node: Int) async throws {
    try site.restart(node)
    try await site.waitUntilReady(node)
    blameAgain(node)
    await populate(node)
  }

  func populate(_ node: Int) async {
    for index in choose(part: 0.33) {
      crowd.clients[index].home = node
      await crowd.lose(index, wait: Int64.random(in: 0...300, using: &random))
    }
  }

  /// Drains a node and starts another in its place.
  func replace(_ node: Int) async throws {
    try await takeDown(node, by: SIGTERM)
    try await bringBack(node)
    await timeToService("full service after")
  }
}

/// A blocking client that can be kept in an array.
final class TestClientBox {
  private var client: TestClient

  init(port: UInt16, milliseconds: Int = 2_000) throws {
    client = try TestClient(port: port, timeoutMilliseconds: milliseconds)
  }

  /// The status of the answer to an upgrade request.
  func ask(_ target: String) -> Int? {
    guard (try? client.send(TestClient.upgradeRequest(target))) != nil else { return nil }
    return (try? client.answer())??.status
  }

  func say(_ text: String) throws { try client.sendFrame(text) }

  /// The next message of the type.
  func message(_ type: String) throws -> ClusterMessage? {
    while let frame = try client.frame() {
      guard frame.opcode == 1, let message = try? ClusterMessage(frame.payload) else { continue }
      if message.type == type || message.type == "error" { return message }
    }
    return nil
  }
}
