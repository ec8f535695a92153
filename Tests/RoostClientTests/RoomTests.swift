import RoostTesting
import Testing

@testable import RoostClient

/// One room, step by step.
@Suite("client: rooms") struct RoomTests {
  /// With somebody who takes the first ten events.
  private func joined(_ adjust: (inout ClientRules) -> Void = { _ in }) -> ClientWorld {
    var world = ClientWorld.joined(adjust)
    world.listen(10)
    return world
  }

  private func message(_ offset: Int, id: String? = nil, client: String? = nil) -> String {
    let client = client.map { #","client_id":"\#($0)""# } ?? ""
    let head = #"{"type":"new_message","room":"r","id":"\#(id ?? "s-" + String(offset))","offset":\#(offset)"#
    return #"\#(head),"payload":{"content":"\#(offset)"}\#(client)}"#
  }

  private func offsets(_ world: inout ClientWorld) -> [Int] {
    world.listen(.max)
    return world.messages.compactMap(\.offset)
  }

  @Test func `what came before does not come again`() {
    var world = joined()
    for offset in [1, 1, 2, 1, 2, 3] { world.deliver(message(offset)) }
    #expect(offsets(&world) == [1, 2, 3])
    #expect(world.core.rooms["r"]?.position == Position(epoch: "e1", offset: 3))
  }

  @Test func `an offset that is left out is asked for before anything else is told`() throws {
    var world = joined()
    world.deliver(message(1))
    world.deliver(message(3))
    world.deliver(message(4))
    #expect(offsets(&world) == [1])
    for _ in 0..<4 { world.othersSay() }
    #expect(world.settle() == true)
    #expect(offsets(&world) == [1, 2, 3, 4])
  }

  @Test func `what cannot be had is told as lost in the end`() {
    var world = joined()
    for attempt in 0..<4 {
      world.deliver(message(5))
      guard attempt < 3, case .asked(let id, _) = world.core.rooms["r"]?.phase else { break }
      let standing = #""epoch":"e1","offset":0,"recovered":true"#
      world.deliver(
        #"{"type":"room_info","room":"r","id":"\#(id)","payload":{"room_id":"r","users":[],"count":1,\#(standing)}}"#)
    }
    #expect(offsets(&world) == [5])
    #expect(world.events.contains(.missed(room: "r", reason: "gap", position: Position(epoch: "e1", offset: 4))))
  }

  @Test func `an ack moves the position, one of a duplicate does not`() {
    var world = joined()
    world.deliver(#"{"type":"ack","room":"r","id":"x","offset":1,"payload":{"epoch":"e1","message_id":"s-1"}}"#)
    world.deliver(#"{"type":"ack","room":"r","id":"x","offset":2,"payload":{"epoch":"e1","dup":true}}"#)
    #expect(world.core.rooms["r"]?.position?.offset == 1)
    world.deliver(message(2))
    #expect(offsets(&world) == [2])
  }

  @Test func `a new epoch is told as a loss, and what is repeated in it is not told again`() {
    var world = joined()
    world.deliver(message(1, id: "a"))
    world.deliver(message(2, id: "b"))
    world.deliver(
      #"{"type":"resync","room":"r","payload":{"room_id":"r","epoch":"e2","offset":7,"reason":"epoch_changed"}}"#)
    world.deliver(message(8, id: "b"))
    world.deliver(message(9, id: "c"))
    #expect(offsets(&world) == [1, 2, 9])
    #expect(
      world.events.contains(.missed(room: "r", reason: "epoch_changed", position: Position(epoch: "e2", offset: 7))))
    #expect(world.core.rooms["r"]?.position == Position(epoch: "e2", offset: 9))
  }

  @Test func `a position that cannot be recovered is told with its reason`() {
    var world = joined()
    world.server.recovery = 2
    for _ in 0..<3 { world.othersSay() }
    world.cut()
    #expect(world.settle() == true)
    #expect(offsets(&world) == [])
    #expect(world.events.contains(.missed(room: "r", reason: "too_far", position: Position(epoch: "e1", offset: 3))))
    world.othersSay()
    #expect(world.settle() == true)
    #expect(offsets(&world) == [4])
  }

  @Test func `one's own message that comes back is the answer to its call`() throws {
    var world = joined()
    world.say()
    world.deliverToServer()
    world.cut()
    #expect(world.settle() == true)
    #expect(offsets(&world) == [])
    let receipt = try #require(world.receipt(world.sent[0].ticket))
    #expect(receipt.offset == 1 && receipt.epoch == "e1" && receipt.messageID == "s-1")
    #expect(world.core.rooms["r"]?.position?.offset == 1)
  }

  @Test func `nobody listens: messages are fetched again, the rest is counted`() {
    var world = joined { $0.waitingEvents = 16 }
    for _ in 0..<40 { world.othersSay() }
    for _ in 0..<40 { world.deliverToClient() }
    world.deliver(#"{"type":"user_joined","room":"r","payload":{"id":"x","name":"x"}}"#)
    #expect(world.core.events.count == 16)
    #expect(world.core.rooms["r"]?.phase == .behind)
    #expect(world.settle() == true)
    #expect(offsets(&world) == Array(1...40))
    #expect(world.events.contains(.skipped(1)))
  }

  @Test func `a room that is refused after all is left, and that is told`() {
    var world = joined()
    world.cut()
    world.pass(1_000)
    guard case .asked(let id, _) = world.core.rooms["r"]?.phase else { return #expect(Bool(false)) }
    world.deliver(#"{"type":"error","id":"\#(id)","payload":{"code":"FORBIDDEN","message":"no"}}"#)
    world.listen(.max)
    #expect(
      world.events.last == .expelled(room: "r", .server(code: "FORBIDDEN", message: "no", retryAfter: nil)))
    #expect(world.core.rooms.isEmpty)
  }

  @Test func `an ack without an id ends membership`() {
    var world = joined()
    world.deliver(#"{"type":"ack","room":"r"}"#)
    world.listen(.max)
    #expect(world.events.last == .expelled(room: "r", nil))
  }

  @Test func `joining goes on where somebody stopped reading`() {
    var world = ClientWorld(seed: 1)
    world.isCalm = true
    for _ in 0..<5 { world.othersSay() }
    _ = world.call(.join(room: "r", history: 0, since: Position(epoch: "e1", offset: 2)))
    _ = world.connect()
    #expect(world.settle() == true)
    #expect(offsets(&world) == [3, 4, 5])
  }

  @Test func `leaving forgets the room`() {
    var world = joined()
    let ticket = world.call(.leave(room: "r"))
    world.deliverToServer()
    world.deliverToClient()
    #expect(world.answers[ticket] == .success(.done))
    world.deliver(message(1))
    #expect(offsets(&world) == [])
  }
}
