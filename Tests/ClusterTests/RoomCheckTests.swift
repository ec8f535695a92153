import RoostTesting
import Testing

/// The checker itself: it must find every broken promise in a history that is good otherwise.
@Suite("room check")
struct RoomCheckTests {
  typealias Heard = ClusterClients.Heard
  typealias Member = ClusterRoomCheck.Member

  static let said = [(1, "a"), (2, "b"), (1, "c"), (2, "d")].map {
    ClusterRoomCheck.Said(client: $0.0, room: "r", content: $0.1)
  }

  /// Clients 1 and 3 are ann's, client 2 is bob's; ann says a and c, bob says b and d.
  static func history() -> [Member] {
    let standing = Heard.joined(epoch: "e", offset: 0)
    let order = [(1, "a", "ann", 1), (2, "b", "bob", 2), (3, "c", "ann", 1), (4, "d", "bob", 2)]
    return [(1, "ann"), (2, "bob"), (3, "ann")].map { client, user in
      let heard = order.map { offset, content, sender, origin in
        origin == client
          ? Heard.ack(offset: offset, id: "id-\(content)", clientID: content, isDuplicate: false)
          : Heard.message(
            offset: offset, id: "id-\(content)", sender: sender, content: content,
            clientID: sender == user ? content : nil)
      }
      return Member(client: client, user: user, heard: [standing, .userJoined("x")] + heard)
    }
  }

  static func violations(_ change: (inout [Member]) -> Void = { _ in }) -> [String] {
    var members = history()
    change(&members)
    return ClusterRoomCheck("r", members: members, said: said).violations
  }

  @Test func `a good history is good`() { #expect(Self.violations() == []) }

  @Test func `loss, doubles and disorder are found`() {
    #expect(!Self.violations { $0[1].heard.remove(at: 2) }.isEmpty)
    #expect(!Self.violations { $0[1].heard.removeLast() }.isEmpty)
    #expect(!Self.violations { $0[1].heard.append($0[1].heard[2]) }.isEmpty)
    #expect(!Self.violations { $0[2].heard.swapAt(2, 3) }.isEmpty)
    #expect(!Self.violations { $0[0].heard.remove(at: 0) }.isEmpty)
    #expect(!Self.violations { members in for index in 0..<3 { members[index].heard.removeLast() } }.isEmpty)
  }

  @Test func `an early ack is found`() {
    #expect(!Self.violations { $0[0].heard.swapAt(3, 4) }.isEmpty)
  }

  @Test func `another message at the same place is found`() {
    #expect(
      !Self.violations {
        $0[1].heard[2] = .message(offset: 1, id: "id-x", sender: "ann", content: "a", clientID: nil)
      }.isEmpty)
  }

  @Test func `one's own message, a missing client_id and a stranger's are found`() {
    #expect(
      !Self.violations {
        $0[0].heard[2] = .message(offset: 1, id: "id-a", sender: "ann", content: "a", clientID: "a")
      }.isEmpty)
    #expect(
      !Self.violations {
        $0[2].heard[2] = .message(offset: 1, id: "id-a", sender: "ann", content: "a", clientID: nil)
      }.isEmpty)
    #expect(
      !Self.violations {
        $0[1].heard[2] = .message(offset: 1, id: "id-a", sender: "ann", content: "a", clientID: "a")
      }.isEmpty)
  }

  @Test func `a sender whose messages overtake each other is found`() {
    let said = [Self.said[2], Self.said[1], Self.said[0], Self.said[3]]
    #expect(!ClusterRoomCheck("r", members: Self.history(), said: said).violations.isEmpty)
  }
}
