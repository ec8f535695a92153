import RealtimeCore
import RoostTesting
import Testing

/// Random interleavings of messages, answers, failures and joins; every client checks what it gets.
@Suite struct RecoveryPropertyTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `nothing is missing and nothing comes twice`(seed: UInt64) {
    var run = RecoveryRun(seed: seed)
    for _ in 0..<400 { run.step() }
    run.finish()
    #expect(run.problems.prefix(3) == [])
    #expect(run.joins > 5)
  }

  @Test func `the runs meet what they are for`() {
    var (recovered, tooFar, reads) = (0, 0, 0)
    for seed in 101...108 as ClosedRange<UInt64> {
      var run = RecoveryRun(seed: seed)
      for _ in 0..<400 { run.step() }
      run.finish()
      recovered += run.hub.counters.recovered
      tooFar += run.hub.counters.notRecovered
      reads += run.hub.counters.pastReads
    }
    #expect(recovered > 20 && tooFar > 2 && reads > 10, "\(recovered) \(tooFar) \(reads)")
  }
}

/// One room on one node; another node says things too, whose frames come late, in disorder or never.
struct RecoveryRun {
  private static let (remembered, recoverable) = (40, 30)

  private struct Client {
    let slot: UInt32
    var wish = JoinWish()
    var isConnected = false
    var position: Position?
    var read = 0
    var contents: Set<String> = []
  }

  let hub: HubHarness
  private(set) var problems: [String] = []
  private(set) var joins = 0
  private var random: SeededGenerator
  private var clients: [Client] = []
  private var frames: [[UInt8]] = []
  private var said = 0
  private var lastSlot: UInt32 = 0
  /// Content by offset, as the relay stored it.
  private var truth: [Int: String] = [:]

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    hub = HubHarness(seed: seed, history: Self.remembered) {
      ($0.historyMessages, $0.recoveryMessages) = (Self.remembered, Self.recoverable)
      $0.leaveGrace = 0
    }
    hub.holdsRequests = true
  }

  mutating func step() {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<25: sayElsewhere()
    case 25..<35: sayHere()
    case 35..<50: deliverFrame()
    case 50..<75: answer()
    case 75..<78: hub.failReads()
    case 78..<88: come()
    case 88..<94: go()
    default: hub.advance(Int64.random(in: 1...120, using: &random))
    }
    check()
  }

  /// All that was lost on the way is found, and every client is where the room is.
  mutating func finish() {
    hub.holdsRequests = false
    hub.releaseAll()
    hub.tell(.resubscribed)
    hub.advance(1_000)
    check()
    let top = truth.keys.max() ?? 0
    for client in clients where client.isConnected && client.position?.offset != top {
      problems.append("client \(client.slot) ended at \(client.position?.offset ?? -1), the room at \(top)")
    }
  }

  // MARK: Steps

  private mutating func sayElsewhere() {
    said += 1
    frames.append(hub.publishElsewhere("e\(said)"))
  }

  private mutating func sayHere() {
    guard let client = clients.filter({ $0.isConnected && $0.position != nil }).randomElement(using: &random) else {
      return
    }
    said += 1
    hub.send(hub.connection(client.slot), "h\(said)", id: "i\(said)")
  }

  private mutating func deliverFrame() {
    guard !frames.isEmpty else { return }
    let frame = frames.remove(at: min(frames.count - 1, Int.random(in: 0..<4, using: &random)))
    if Int.random(in: 0..<4, using: &random) > 0 { hub.tell(.frame(frame)) }
  }

  private mutating func answer() {
    for _ in 0..<Int.random(in: 1...6, using: &random) where !hub.held.isEmpty { hub.release() }
  }

  private mutating func come() {
    var client: Client
    if let index = clients.indices.filter({ !clients[$0].isConnected }).randomElement(using: &random) {
      let old = clients.remove(at: index)
      lastSlot += 1
      client = Client(slot: lastSlot, position: old.position, contents: old.contents)
    } else {
      guard clients.count < 5 else { return }
      lastSlot += 1
      client = Client(slot: lastSlot)
    }
    client.isConnected = true
    client.wish = JoinWish(since: client.position, history: Bool.random(using: &random) ? 0 : 5)
    client.position = nil
    clients.append(client)
    joins += 1
    hub.connect(client.slot, user: "u\(client.slot)")
    hub.join(hub.connection(client.slot), "r", client.wish)
  }

  private mutating func go() {
    guard let index = clients.indices.filter({ clients[$0].isConnected }).randomElement(using: &random) else { return }
    hub.tell(.disconnect(hub.connection(clients[index].slot), .left))
    clients[index].isConnected = false
    // Who never got in still has the position it came with.
    if clients[index].position == nil { clients[index].position = clients[index].wish.since }
  }

  // MARK: Checks

  private mutating func check() {
    truth.merge(hub.stored()) { known, _ in known }
    for index in clients.indices where clients[index].isConnected {
      let texts = hub.texts(hub.connection(clients[index].slot))
      for text in texts[clients[index].read...] { take(text, index) }
      clients[index].read = texts.count
    }
  }

  private mutating func take(_ text: HubHarness.Received, _ index: Int) {
    switch text.type {
    case "room_info": enter(text, index)
    case "ack" where text.payload["dup"] as? Bool == true: break  // moves nobody: a resync went over its place
    case "new_message", "ack":
      guard let offset = text.offset, let position = clients[index].position else {
        return problems.append("\(text) before room_info")
      }
      if offset != position.offset + 1 { problems.append("\(text) after \(position.offset)") }
      clients[index].position = Position(epoch: position.epoch, offset: offset)
      guard text.type == "new_message" else { return }
      let content = text.payload["content"] as? String ?? ""
      if truth[offset] != content { problems.append("\(text), but stored is \(truth[offset] ?? "nothing")") }
      clients[index].contents.insert(content)
    case "error":
      if text.payload["code"] as? String != "RELAY_UNAVAILABLE" { problems.append("\(text)") }
    case "resync":
      // Too much was lost on the way to the node for its history to hold.
      let payload = text.payload
      clients[index].position = Position(
        epoch: payload["epoch"] as? String ?? "", offset: payload["offset"] as? Int ?? -1)
      if payload["reason"] as? String != "too_far" { problems.append("\(text)") }
    default: break
    }
  }

  private mutating func enter(_ text: HubHarness.Received, _ index: Int) {
    let client = clients[index]
    let offset = text.payload["offset"] as? Int ?? -1
    clients[index].position = Position(epoch: text.payload["epoch"] as? String ?? "", offset: offset)
    let isRecovered = text.payload["recovered"] as? Bool
    guard let since = client.wish.since else {
      if isRecovered != nil { problems.append("\(text), which nobody asked for") }
      return
    }
    if isRecovered == true, offset != since.offset { problems.append("\(text) after \(since)") }
    if isRecovered == false {
      let missed = (truth.keys.max() ?? 0) - since.offset
      if text.payload["reason"] as? String != "too_far" { problems.append("\(text) is not the reason") }
      if missed <= Self.recoverable { problems.append("\(text), but only \(missed) were missed") }
    }
  }
}
