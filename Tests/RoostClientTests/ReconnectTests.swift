import RoostTesting
import Testing

@testable import RoostClient

/// When a client comes back, when it does not, and after which pause.
@Suite("client: coming back") struct ReconnectTests {
  private func open(_ adjust: (inout ClientRules) -> Void = { _ in }) -> ClientWorld {
    var world = ClientWorld(seed: 1, adjust)
    world.isCalm = true
    _ = world.connect()
    return world
  }

  @Test(arguments: [1_001, 1_005, 1_006, 1_011, 1_012, 4_000, 4_008, 4_029, 4_499])
  func `comes back after`(code: Int) {
    var world = open()
    world.cut(.closed(code: code, reason: ""))
    guard case .waiting = world.core.phase else { return #expect(Bool(false), "\(world.core.phase)") }
    world.pass(1_000)
    #expect(world.core.phase == .open && world.connections == 2)
  }

  @Test(arguments: [1_000, 1_002, 1_008, 1_009, 4_500, 4_501, 4_999])
  func `stays away after`(code: Int) {
    var world = open()
    let waiting = world.call(.send(JSONText(content: "x"), room: "r", id: nil))
    world.cut(.closed(code: code, reason: "why"))
    let error = ClientError.closed(code: code, reason: "why")
    #expect(world.core.phase == .ended)
    #expect(world.answers[waiting] == .failure(error))
    world.listen(10)
    #expect(world.events.last == .connection(.ended(error)))
    let late = world.call(.leave(room: "r"))
    #expect(world.answers[late] == .failure(error))
    #expect(world.core.deadline(world.now) == nil)
  }

  @Test(arguments: [400, 403, 404, 426, 431]) func `a refusal for good ends it`(status: Int) {
    var world = ClientWorld(seed: 1)
    world.core.connect(ticket: 1, 0)
    _ = world.core.takeActions()
    world.core.ended(.refused(status: status, retryAfter: nil), 0)
    world.perform()
    #expect(world.answers[1] == .failure(.refused(status: status)))
  }

  @Test func `pauses are drawn from all of a span that doubles up to its bound, and there is no last try`() {
    for seed in 1...20 {
      var backoff = Backoff(base: 500, longest: 30_000, seed: UInt64(seed))
      for failure in 0..<200 {
        let bound = min(30_000, Int64(500) << Int64(min(failure, 20)))
        #expect(backoff.bound == bound)
        #expect((0...bound).contains(backoff.next()))
      }
      backoff.reset()
      #expect(backoff.bound == 500)
    }
    // Full jitter: every tenth of the span is drawn about as often as the others.
    var tenths = [Int](repeating: 0, count: 10)
    for seed in 0..<10_000 {
      var backoff = Backoff(base: 1_000, longest: 1_000, seed: UInt64(seed))
      tenths[Int(min(999, backoff.next())) / 100] += 1
    }
    #expect(tenths.allSatisfy { (850...1_150).contains($0) }, "\(tenths)")
  }

  @Test func `it tries for ever unless told otherwise`() {
    var core = ClientCore(ClientRules(idPrefix: "me", seed: 1), token: nil)
    core.connect(ticket: 1, 0)
    var now: Int64 = 0
    for _ in 0..<1_000 {
      #expect(core.takeActions().contains(.connect(token: nil)))
      core.ended(.failed("nobody there"), now)
      guard case .waiting(let until) = core.phase else { return #expect(Bool(false), "gave up") }
      now = until
      core.tick(now)
    }
    var patient = ClientRules(idPrefix: "me", seed: 1)
    patient.firstAttempts = 2
    core = ClientCore(patient, token: nil)
    core.connect(ticket: 1, 0)
    core.ended(.failed("nobody there"), 0)
    core.tick(60_000)
    core.ended(.failed("nobody there"), 60_000)
    #expect(core.takeActions().contains(.answer(ticket: 1, .failure(.unreachable("nobody there")))))
  }

  @Test func `a server that was never believed ends it, one that was is tried again`() {
    var core = ClientCore(ClientRules(idPrefix: "me", seed: 1), token: nil)
    core.connect(ticket: 1, 0)
    core.ended(.untrusted("it has expired"), 0)
    #expect(core.phase == .ended)
    #expect(core.takeActions().contains(.answer(ticket: 1, .failure(.untrusted("it has expired")))))
    var world = open()
    world.cut(.untrusted("it has expired"))
    world.listen(10)
    guard case .connection(.waiting(let reason, _)) = world.events.last else {
      return #expect(Bool(false), "\(world.events)")
    }
    #expect(reason == "the server's certificate is not believed: it has expired")
    world.pass(1_000)
    #expect(world.core.phase == .open && world.connections == 2)
  }

  @Test func `a node that stops says when to come back`() {
    var world = open()
    world.deliver(#"{"type":"server_draining","payload":{"reconnect_after_ms":4321}}"#)
    world.cut(.closed(code: 1_012, reason: ""))
    #expect(world.core.phase == .waiting(until: world.now + 4_321))
    // Once: the next loss is one like all others.
    world.pass(4_321)
    world.cut()
    guard case .waiting(let until) = world.core.phase else { return #expect(Bool(false)) }
    #expect(until <= world.now + 10)
  }

  @Test func `Retry-After is kept to`() {
    var core = ClientCore(ClientRules(idPrefix: "me", seed: 1), token: nil)
    core.connect(ticket: 1, 0)
    core.ended(.refused(status: 503, retryAfter: 7_000), 100)
    #expect(core.phase == .waiting(until: 7_100))
  }

  @Test func `whoever ignored the limit comes back more slowly`() {
    var world = open()
    world.cut(.closed(code: 4_029, reason: ""))
    #expect(world.core.backoff.bound > 10 << 3)
    // A welcome alone shows nothing; a message of the server's does.
    world.pass(1_000)
    #expect(world.core.backoff.bound > 10 << 3)
    world.deliver(#"{"type":"pong"}"#)
    #expect(world.core.backoff.bound == 10)
  }

  @Test func `silence is asked about and then taken for an end`() {
    var world = open { $0.silence = 1_000 }
    world.core.tick(world.now + 999)
    #expect(world.core.takeActions() == [])
    world.core.tick(world.now + 1_000)
    #expect(world.core.takeActions() == [.ping])
    #expect(world.core.deadline(world.now + 1_000) == world.now + 2_000)
    world.core.tick(world.now + 2_000)
    #expect(world.core.takeActions() == [.drop])
    guard case .waiting = world.core.phase else { return #expect(Bool(false)) }
  }

  @Test func `an attempt that takes too long is given up`() {
    var core = ClientCore(ClientRules(idPrefix: "me", seed: 1), token: nil)
    core.connect(ticket: 1, 0)
    _ = core.takeActions()
    #expect(core.deadline(0) == 10_000)
    core.tick(10_000)
    #expect(core.takeActions() == [.drop])
    guard case .waiting = core.phase else { return #expect(Bool(false)) }
  }
}
