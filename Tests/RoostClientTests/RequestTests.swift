import RoostTesting
import Testing

@testable import RoostClient

/// What waits for an answer, how long, and what becomes of it.
@Suite("client: calls") struct RequestTests {
  @Test func `calls before the connection wait for it, in order`() {
    var world = ClientWorld(seed: 1)
    world.isCalm = true
    _ = world.call(.join(room: "r", history: 0, since: nil))
    for _ in 0..<5 { world.say() }
    #expect(world.answers.isEmpty)
    _ = world.connect()
    #expect(world.settle() == true)
    #expect(world.server.log.map(\.content) == (0..<5).map { "mine \($0)" })
    #expect(world.sent.compactMap { world.receipt($0.ticket)?.offset } == Array(1...5))
  }

  @Test func `a missing answer is asked for again under the same id`() {
    var world = ClientWorld.joined { $0.answerTimeout = 1_000 }
    world.say()
    world.deliverToServer()
    world.server.outgoing = []
    world.pass(999)
    world.deliverToServer()
    #expect(world.server.messagesReceived == 1)
    world.pass(1)
    #expect(world.settle() == true)
    #expect(world.server.messagesReceived == 2 && world.server.log.count == 1)
    #expect(world.receipt(world.sent[0].ticket)?.isDuplicate == true)
  }

  @Test func `a private message is not sent twice`() {
    var world = ClientWorld.joined()
    let ticket = world.call(.direct(JSONText(content: "x"), user: "u"))
    world.cut()
    #expect(world.answers[ticket] == .failure(.outcomeUnknown))
    // One that has not left yet waits.
    let waiting = world.call(.direct(JSONText(content: "x"), user: "u"))
    #expect(world.answers[waiting] == nil)
    #expect(world.settle() == true)
    #expect(world.answers[waiting] == .success(.direct(DirectReceipt(recipients: 1, isPartial: false))))
  }

  @Test func `only so many messages are under way`() {
    var world = ClientWorld.joined { $0.messagesUnderWay = 2 }
    for _ in 0..<10 { world.say() }
    for _ in 0..<10 { world.deliverToServer() }
    #expect(world.server.messagesReceived == 2)
    #expect(world.settle() == true)
    #expect(world.server.log.count == 10)
  }

  @Test func `too fast: one at a time, and all of it in the end`() {
    var world = ClientWorld.joined()
    world.server.limited = 50
    for _ in 0..<50 { world.say() }
    #expect(world.settle() == true)
    #expect(world.sent.allSatisfy { world.receipt($0.ticket) != nil })
    // Every second is refused, so twice as many as there are is what it takes, not a multiple.
    #expect(world.server.messagesReceived < 160, "\(world.server.messagesReceived)")
  }

  @Test func `a refusal is the caller's`() {
    var world = ClientWorld(seed: 1)
    world.isCalm = true
    _ = world.connect()
    world.say()
    world.deliverToServer()
    world.deliverToClient()
    let error = ClientError.server(code: "NOT_IN_ROOM", message: "", retryAfter: nil)
    #expect(world.answers[world.sent[0].ticket] == .failure(error))
  }

  @Test func `limits are answered`() {
    var world = ClientWorld(seed: 1) { ($0.pendingMessages, $0.rooms) = (3, 1) }
    for _ in 0..<3 { world.say() }
    let crowd = world.call(.send(JSONText(content: "x"), room: "r", id: nil))
    #expect(world.answers[crowd] == .failure(.tooMuchPending))
    _ = world.call(.join(room: "r", history: 0, since: nil))
    let room = world.call(.join(room: "s", history: 0, since: nil))
    #expect(world.answers[room] == .failure(.tooMuchPending))
    world = ClientWorld(seed: 1) { $0.pendingBytes = 20 }
    let large = world.call(.send(JSONText(content: "long enough"), room: "r", id: nil))
    #expect(world.answers[large] == .failure(.tooMuchPending))
  }

  @Test func `arguments that no server takes are refused at once`() {
    var world = ClientWorld(seed: 1)
    let calls: [ClientCore.Call] = [
      .join(room: "a b", history: 0, since: nil), .join(room: "r", history: 101, since: nil), .leave(room: ""),
      .send(JSONText(content: "x"), room: "r", id: ""), .direct(JSONText(content: "x"), user: ""),
      .history(room: "r", limit: 0, before: nil), .refresh(token: "two lines\n"),
    ]
    for call in calls {
      let ticket = world.call(call)
      guard case .failure(.invalid) = world.answers[ticket] else {
        Issue.record("\(call): \(String(describing: world.answers[ticket]))")
        continue
      }
    }
    _ = world.call(.send(JSONText(content: "x"), room: "r", id: "same"))
    let again = world.call(.send(JSONText(content: "x"), room: "r", id: "same"))
    guard case .failure(.invalid) = world.answers[again] else { return #expect(Bool(false)) }
  }

  @Test func `who does not wait any more is told so, and what was not sent is forgotten`() {
    var world = ClientWorld(seed: 1)
    world.isCalm = true
    let early = world.call(.send(JSONText(content: "x"), room: "r", id: nil))
    let room = world.call(.join(room: "r", history: 0, since: nil))
    world.core.cancel(ticket: early)
    world.core.cancel(ticket: room)
    world.perform()
    #expect(world.answers[early] == .failure(.cancelled) && world.answers[room] == .failure(.cancelled))
    _ = world.connect()
    #expect(world.settle() == true)
    #expect(world.server.log.isEmpty)
    // What was sent may have arrived: it is followed to its end, and nobody hears of it.
    world.say()
    world.core.cancel(ticket: world.sent[0].ticket)
    world.perform()
    #expect(world.settle() == true)
    #expect(world.server.log.count == 1 && world.answeredTwice == 0)
  }

  @Test func `disconnecting answers everybody`() {
    var world = ClientWorld.joined()
    world.say()
    let room = world.call(.join(room: "s", history: 0, since: nil))
    let ticket = world.ticket()
    world.core.disconnect(ticket: ticket, world.now)
    world.perform()
    #expect(world.answers[world.sent[0].ticket] == .failure(.disconnected))
    #expect(world.answers[room] == .failure(.disconnected))
    #expect(world.answers[ticket] == .success(.done))
    world.listen(.max)
    #expect(world.events.last == .connection(.ended(nil)))
    #expect(world.core.takeEvent(world.now) == nil)
  }

  @Test func `what is no message ends the connection, and the client comes back`() {
    for text in ["{", "[]", "{}", "5"] {
      var world = ClientWorld.joined()
      world.deliver(text)
      guard case .waiting = world.core.phase else {
        Issue.record("\(text): \(world.core.phase)")
        continue
      }
    }
    var world = ClientWorld.joined()
    world.deliver(#"{"type":"novelty","room":"r","payload":[1]}"#)
    world.listen(.max)
    #expect(world.events.last == .other(type: "novelty", room: "r", payload: JSONText("[1]")))
  }
}
