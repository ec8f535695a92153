import RealtimeCore
import Testing

@Suite struct LocalRelayTests {
  private static let start = Now(monotonic: 5_000_000, wall: 1_760_000_000_000)

  private func reply(_ relay: inout LocalRelay, _ request: RelayRequest) -> RelayReply? {
    var events: [RelayEvent] = []
    relay.submit(request, ticket: 1)
    relay.takeEvents(into: &events)
    guard case .reply(_, let reply)? = events.last else { return nil }
    return reply
  }

  private func publish(_ relay: inout LocalRelay, _ room: String, _ numbers: ClosedRange<Int>) -> Position? {
    var last: Position?
    for number in numbers {
      let text = Array(repeating: UInt8(ascii: "x"), count: 100)
      let publication = Publication(text: text, userID: "u", clientID: Array("\(number)".utf8))
      guard case .published(let outcomes)? = reply(&relay, .publish(RoomName(room)!, [publication])) else { return nil }
      last = outcomes[0].position
    }
    return last
  }

  private func read(_ relay: inout LocalRelay, _ room: String, above offset: Int, _ epoch: String) -> RoomRead? {
    let known = Position(epoch: epoch, offset: offset)
    guard case .read(let reads)? = reply(&relay, .read([(RoomName(room)!, known)])) else { return nil }
    return reads[0]
  }

  @Test func `all rooms share one budget, the least used pay first, and what is gone is told`() throws {
    var relay = LocalRelay(seed: 1, historyBytes: 2_000, now: Self.start)
    let a = try #require(publish(&relay, "a", 1...5))
    let b = try #require(publish(&relay, "b", 1...5))
    _ = read(&relay, "a", above: 0, a.epoch)  // used after b
    let c = try #require(publish(&relay, "c", 1...5))
    let (readA, readB) = (read(&relay, "a", above: 0, a.epoch), read(&relay, "b", above: 0, b.epoch))
    #expect(readA?.isComplete == true && readA?.messages.count == 5)
    #expect(readB?.isComplete == false && readB?.messages.isEmpty == true && readB?.top?.offset == 5)
    #expect(read(&relay, "b", above: 5, b.epoch)?.isComplete == true)
    #expect(read(&relay, "c", above: 0, c.epoch)?.isComplete == true)
    // One room alone beyond the budget keeps its last messages.
    _ = publish(&relay, "d", 1...50)
    guard case .history(let history)? = reply(&relay, .history(RoomName("d")!, before: nil, limit: 100)) else {
      Issue.record("no history")
      return
    }
    #expect((5...12).contains(history.messages.count) && history.messages.last?.offset == 50)
  }

  @Test func `messages are kept for the history's time`() throws {
    var relay = LocalRelay(seed: 1, historySeconds: 10, now: Self.start)
    let place = try #require(publish(&relay, "a", 1...2))
    relay.advance(to: Now(monotonic: Self.start.monotonic + 9_000, wall: Self.start.wall + 9_000))
    _ = publish(&relay, "a", 3...3)
    #expect(read(&relay, "a", above: 0, place.epoch)?.isComplete == true)
    relay.advance(to: Now(monotonic: Self.start.monotonic + 11_000, wall: Self.start.wall + 11_000))
    #expect(read(&relay, "a", above: 0, place.epoch)?.isComplete == false)
    #expect(read(&relay, "a", above: 2, place.epoch)?.messages.map(\.offset) == [3])
  }
}
