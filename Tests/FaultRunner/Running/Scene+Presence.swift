import Foundation
import LoadGenerator
import RoostTesting

extension Scene {
  /// Whether every node counts who is there, and each room its users, once the dead have been counted out.
  func checkPresence() async {
    let there = crowd.clients.filter { $0.phase == .open }
    let truth = ClusterUnderTest.Online(online: there.count, users: Set(there.map(\.user)).count, nodes: Site.count)
    var said: [ClusterUnderTest.Online?] = []
    let isRight = await crowd.wait(seconds: Crowd.patience) {
      said = (0..<Site.count).map { site.online($0) }
      return said.allSatisfy { $0 == truth }
    }
    if !isRight { crowd.ledger.blame(\.wrongPresence, "the nodes count \(said), not \(truth)") }
    let rooms = Set(there.flatMap(\.rooms)).sorted()
    guard rooms.count <= 100 else { return }
    for room in rooms {
      let members = Set(there.filter { $0.memberships[room] == .inside }.map(\.user))
      var count: Int?
      // Who has just left is within the grace.
      _ = await crowd.wait(seconds: Crowd.patience) {
        count = try? users(in: room)
        return count == members.count
      }
      if count != members.count {
        crowd.ledger.blame(
          \.wrongPresence, "\(room) is said to have \(count.map { "\($0)" } ?? "no") users, not \(members.count)")
      }
    }
  }

  /// As any node counts them.
  private func users(in room: String) throws -> Int? {
    let client = try TestClientBox(port: site.ports[anyNode()], milliseconds: 10_000)
    guard client.ask("/ws?token=\(site.mint("observer"))") == 101 else { return nil }
    try client.say(#"{"type":"online_users","payload":{"room_id":"\#(room)"}}"#)
    return try client.message("online_users")?.payload?.count
  }
}

extension Site {
  /// What the node says about the cluster; `nil` when it does not answer.
  func online(_ index: Int) -> ClusterUnderTest.Online? {
    nodes[index].fetch("/ws/online").flatMap {
      try? JSONDecoder().decode(ClusterUnderTest.Online.self, from: Data($0.body))
    }
  }
}
