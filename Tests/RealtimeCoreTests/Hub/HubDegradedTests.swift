import RealtimeCore
import Testing

/// What clients of a node hear while its relay is away.
@Suite struct HubDegradedTests {
  private func codes(_ hub: HubHarness, _ connection: ConnectionID) -> [String] {
    hub.texts(connection, "error").compactMap { $0.payload["code"] as? String }
  }

  @Test func `everybody is told once when it begins and once when it ends`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    for state in [.suspect, .connected, .suspect, .degraded, .recovering, .degraded, .recovering, .connected]
      as [RelayState]
    {
      hub.tell(.state(state))
    }
    #expect(hub.texts(ann).map(\.type) == ["relay_status", "relay_status"])
    #expect(hub.texts(ann).map { $0.payload["degraded"] as? Bool } == [true, false])
  }

  @Test func `who comes meanwhile is told at once, who comes later is not`() {
    let hub = HubHarness()
    hub.tell(.state(.degraded))
    let ann = hub.connect(1, user: "ann")
    #expect(hub.texts(ann, "relay_status").map { $0.payload["degraded"] as? Bool } == [true])
    hub.tell(.state(.recovering))
    let bob = hub.connect(2, user: "bob")
    #expect(hub.texts(bob, "relay_status").count == 1)
    hub.tell(.state(.connected))
    let eve = hub.connect(3, user: "eve")
    #expect(hub.texts(eve, "relay_status").isEmpty)
  }

  /// A node that was stopped for half a lease must not lose the other half by waiting for the next heartbeat's time.
  @Test func `a heartbeat without an answer is sent again soon, and only the heartbeat`() {
    let hub = HubHarness()
    _ = hub.member(1, user: "ann")
    // The connections are counted soon; the heartbeat comes at 2,000.
    hub.advance(1_900)
    hub.holdsRequests = true
    hub.advance(200)
    func isHeartbeat(_ request: RelayRequest) -> Bool { if case .heartbeat = request { true } else { false } }
    let lost = hub.held.removeFirst()
    #expect(isHeartbeat(lost.request))
    hub.tell(.reply(lost.ticket, .failed(.outcomeUnknown)))
    #expect(hub.held.isEmpty)
    hub.advance(300)
    #expect(hub.held.map { isHeartbeat($0.request) } == [true])
    hub.releaseAll()
    hub.advance(1_500)
    #expect(hub.held.isEmpty, "an answered one leaves the next its time")
  }

  /// Failures come at once, as from a relay without a connection.
  @Test func `a message waits five seconds, then its sender is told when to come again; later ones are told at once`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.failure = .unavailable
    hub.send(ann, "one", id: "m1")
    hub.advance(2_000)
    hub.tell(.state(.degraded))
    hub.advance(2_800)
    #expect(codes(hub, ann).isEmpty)
    hub.advance(300)
    let error = hub.texts(ann, "error").first
    #expect(error?.id == "m1" && error?.payload["code"] as? String == "RELAY_UNAVAILABLE")
    #expect((error?.payload["retry_after_ms"] as? Int ?? 0) > 0)
    hub.advance(3_000)
    hub.send(ann, "two", id: "m2")
    #expect(codes(hub, ann).count == 2)
    hub.failure = nil
    hub.tell(.state(.connected))
    hub.send(ann, "two", id: "m2")
    let acks = hub.texts(ann, "ack")
    #expect(acks.map(\.id) == ["m2"] && acks[0].offset == 1 && acks[0].payload["dup"] == nil)
  }

  @Test func `what fails is tried again ever more rarely, whatever else is sent`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.failure = .refused(.outOfMemory)
    hub.failed.removeAll()
    for number in 0..<50 {
      hub.send(ann, "x", id: "m\(number)")
      hub.advance(100)
    }
    let publishes = hub.failed.filter { if case .publish = $0.request { true } else { false } }
    #expect((5...12).contains(publishes.count), "\(publishes.count) tries in five seconds")
    #expect(hub.counters.refused[.outOfMemory] == hub.failed.count)
    let steps = zip(publishes, publishes.dropFirst()).map { $1.at - $0.at }
    #expect(steps.prefix(3).elementsEqual([100, 200, 400]))
    #expect(steps.allSatisfy { $0 >= 100 && $0 <= 1_000 })
    hub.failure = nil
    hub.advance(1_100)
    #expect(hub.texts(ann, "ack").count + codes(hub, ann).count == 50, "each message has one answer")
  }

  @Test func `a roster and a question about a gap are tried ever more rarely too`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let bob = hub.connect(2, user: "bob")
    hub.failure = .refused(.busy)
    hub.failed.removeAll()
    hub.join(bob, "r")
    hub.tell(.resubscribed)
    hub.advance(4_000)
    for kind in ["roster", "read", "changePresence"] {
      let tries = hub.failed.filter { "\($0.request)".hasPrefix(kind) }.count
      #expect((3...10).contains(tries), "\(tries) times \(kind)")
    }
    hub.failure = nil
    hub.advance(1_100)
    #expect(hub.texts(bob, "room_info").count == 1)
    _ = ann
  }

  @Test func `a join waits five seconds too, however it fails`() {
    let hub = HubHarness()
    let ann = hub.connect(1, user: "ann")
    hub.failure = .unavailable
    hub.tell(.state(.degraded))
    hub.forgetTexts()
    hub.join(ann, "r")
    hub.advance(4_900)
    #expect(hub.texts(ann).isEmpty)
    hub.advance(200)
    #expect(codes(hub, ann) == ["RELAY_UNAVAILABLE"])
    #expect(hub.texts(ann, "error").first?.payload["retry_after_ms"] as? Int == 1_000)
  }

  @Test func `a full outbox refuses at once and says when to come again`() {
    let hub = HubHarness { $0.outboxMessages = 3 }
    let ann = hub.member(1, user: "ann")
    hub.failure = .outcomeUnknown
    for number in 0..<4 { hub.send(ann, "x", id: "m\(number)") }
    let error = hub.texts(ann, "error").first
    #expect(error?.id == "m3" && error?.payload["retry_after_ms"] as? Int == 1_000)
  }

  /// The try that nobody heard of ran all the same, after its sender had been told that nobody knows.
  @Test func `a message that turns up after its sender was told is shown once, and its repeat is a duplicate`() throws {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    let bob = hub.member(2, user: "bob")
    hub.holdsRequests = true
    hub.send(ann, "hi", id: "m1")
    let late = try #require(hub.held.first)
    for _ in 0..<60 {
      for (_, ticket) in hub.held { hub.tell(.reply(ticket, .failed(.outcomeUnknown))) }
      hub.held.removeAll()
      hub.advance(100)
    }
    #expect(codes(hub, ann) == ["RELAY_UNAVAILABLE"] && hub.texts(bob, "new_message").isEmpty)
    let epoch = hub.epoch
    hub.held = [late]
    hub.release()  // it is stored now; its answer finds nobody
    hub.tell(.frame(hub.storedFrame(of: late.request, epoch: epoch, offset: 1)))
    #expect(hub.texts(bob, "new_message").count == 1)
    hub.holdsRequests = false
    hub.send(ann, "hi", id: "m1")
    hub.advance(1_000)
    let ack = try #require(hub.texts(ann, "ack").last)
    #expect(ack.payload["dup"] as? Bool == true && ack.offset == 1)
    #expect(hub.texts(bob, "new_message").count == 1)
  }

  @Test func `retries carry the same words and the same digest`() {
    let hub = HubHarness()
    let ann = hub.member(1, user: "ann")
    hub.failure = .outcomeUnknown
    hub.failed.removeAll()
    hub.send(ann, "hi", id: "m1")
    hub.advance(2_000)
    let tries = hub.failed.compactMap { failed -> Publication? in
      if case .publish(_, let publications) = failed.request { publications.first } else { nil }
    }
    #expect(tries.count >= 3)
    #expect(tries.allSatisfy { $0 == tries[0] })
  }

  // MARK: degraded=local

  @Test func `delivered on the own node: at once, marked, unnumbered, and never acknowledged`() throws {
    let hub = HubHarness { $0.deliversLocally = true }
    let ann = hub.member(1, user: "ann")
    let laptop = hub.member(2, user: "ann")
    let bob = hub.member(3, user: "bob")
    hub.failure = .unavailable
    hub.failed.removeAll()
    hub.tell(.state(.degraded))
    hub.forgetTexts()
    hub.send(ann, "hi", id: "m1")
    let message = try #require(hub.texts(bob, "new_message").first)
    #expect(message.json["degraded"] as? Bool == true && message.offset == nil)
    #expect(message.payload["content"] as? String == "hi" && message.json["client_id"] == nil)
    #expect(hub.texts(laptop, "new_message").first?.json["client_id"] as? String == "m1")
    #expect(hub.texts(ann).map(\.type) == ["error"])
    let error = try #require(hub.texts(ann).first)
    #expect(error.id == "m1" && error.payload["code"] as? String == "RELAY_UNAVAILABLE")
    #expect((error.payload["message"] as? String)?.contains("this node only") == true)
    #expect(error.payload["retry_after_ms"] == nil)
    hub.advance(10_000)
    #expect(hub.failed.allSatisfy { if case .publish = $0.request { false } else { true } }, "it is not retried")
  }

  @Test func `a client that repeats its id is not heard twice on the own node`() {
    let hub = HubHarness { $0.deliversLocally = true }
    let ann = hub.member(1, user: "ann")
    let bob = hub.member(2, user: "bob")
    hub.tell(.state(.degraded))
    for _ in 0..<3 { hub.send(ann, "hi", id: "m1") }
    hub.send(ann, "hi", id: "m2")
    hub.send(bob, "hi", id: "m1")
    #expect(hub.texts(bob, "new_message").count == 2 && codes(hub, ann).count == 4)
    #expect(hub.texts(ann, "new_message").count == 1 && hub.counters.localDeliveries == 3)
  }

  @Test func `while all is well the setting changes nothing`() {
    let hub = HubHarness { $0.deliversLocally = true }
    let ann = hub.member(1, user: "ann")
    hub.tell(.state(.suspect))
    hub.send(ann, "hi", id: "m1")
    #expect(hub.texts(ann).map(\.type) == ["ack"])
  }

  // MARK: Numbers

  @Test func `online tells the own numbers while the relay is away, and what it knew before`() throws {
    let hub = HubHarness()
    let asker = hub.connect(1, user: "ann")
    hub.advance(200)
    hub.tell(.askOnline(asker))
    #expect(hub.online.last?.isClusterWide == true && hub.online.last?.ageMilliseconds == 0)
    hub.advance(300)
    hub.tell(.askOnline(asker))
    #expect(hub.online.last?.ageMilliseconds == 300)
    hub.tell(.trouble(.outOfMemory))
    hub.tell(.state(.degraded))
    hub.connect(2, user: "bob")
    hub.advance(700)
    hub.tell(.askOnline(asker))
    let answer = try #require(hub.online.last)
    #expect(!answer.isClusterWide && answer.numbers == OnlineNumbers(connections: 2, users: 2, nodes: 1))
    #expect(answer.relay == .degraded && answer.trouble == .outOfMemory)
    #expect(answer.lastKnown?.numbers == OnlineNumbers(connections: 1, users: 1, nodes: 1))
    #expect(answer.lastKnown?.ageMilliseconds == 1_000)
  }
}
